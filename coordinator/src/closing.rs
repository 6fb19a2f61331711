//! The gather of one closed group: its parts to its result.

use std::sync::Arc;

use bytes::Bytes;
use longshore_handler::{Context, Group, GroupPart, HandlerError, Outcome, OutputKey, Raw, class};
use longshore_schemas::Origin;
use longshore_schemas::records::{Closed, GroupResult, GroupStatus, PartError};

use crate::config::JoinConfig;
use crate::gather::{Closing, EndedPart};

/// Missing parts that a result names; the journal names all of them.
const MISSING_SHOWN: usize = 100;

/// A group's result, to be written with the journal's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The journal's record. If the gather failed, so has the group.
    pub closed: Closed,
    /// The result.
    pub result: GroupResult,
    /// The key that the gather gave its output.
    pub key: Option<Bytes>,
}

/// Gathers a group: attempts with a growing pause between them, and a FAILED result at the end of
/// them, so that every group has exactly one.
pub async fn gather(config: Arc<JoinConfig>, closing: Closing, opened_in: i32) -> Gathered {
    let Closing { closed, run_id, parts, .. } = closing;
    let offsets: Vec<i64> = parts.iter().map(|part| part.offset).collect();
    let group = Group {
        group_id: closed.group_id.clone(),
        revision: closed.revision,
        run_id: run_id.clone(),
        status: closed.status,
        completed_by: closed.completed_by,
        counts: closed.counts,
        missing: closed.missing.clone(),
        parts: parts.into_iter().map(part).collect(),
    };
    let mut gathered = Gathered { result: result_of(&closed), closed, key: None };
    gathered.result.run_id = run_id;
    let cx = context(&config, &gathered.closed, opened_in);
    let answer = attempts(&config, group, cx).await;
    if let Err(error) = answer.and_then(|outcome| gathered.take(outcome)) {
        gathered.fail(error.class(), &format!("{} (parts at {offsets:?})", error.message()));
    }
    gathered
}

async fn attempts(
    config: &JoinConfig,
    group: Group,
    mut cx: Context,
) -> Result<Outcome, HandlerError> {
    let mut pause = config.backoff_initial;
    loop {
        match config.gather.call(Raw::Group(Box::new(group.clone())), &cx).await {
            Err(error) if error.may_heal() && !cx.is_last_attempt() => {
                let (lane, class) = (config.group.clone(), error.class());
                metrics::counter!("longshore_retries_total", "lane" => lane, "class" => class)
                    .increment(1);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(config.backoff_max);
                cx.attempt += 1;
            }
            answer => return answer,
        }
    }
}

fn context(config: &JoinConfig, closed: &Closed, opened_in: i32) -> Context {
    let origin = Origin {
        topic: config.topics.inbox.clone(),
        partition: opened_in,
        offset: closed.opened_offset,
        index: 0,
    };
    let id = closed.group_id.to_string();
    Context {
        idempotency_key: format!("{id}/{}", closed.revision).into(),
        id,
        attempts_max: config.attempts_max,
        ..Context::new(config.join.clone(), origin)
    }
}

fn part(ended: EndedPart) -> GroupPart {
    let EndedPart { stage, part_id, status, payload, error, .. } = ended;
    GroupPart { stage, part_id, status, payload, error }
}

fn result_of(closed: &Closed) -> GroupResult {
    GroupResult {
        group_id: closed.group_id.clone(),
        run_id: None,
        revision: closed.revision,
        status: closed.status,
        completed_by: closed.completed_by,
        counts: closed.counts,
        missing: closed.missing.iter().take(MISSING_SHOWN).cloned().collect(),
        payload: None,
        error: None,
    }
}

impl Gathered {
    fn take(&mut self, outcome: Outcome) -> Result<(), HandlerError> {
        match outcome {
            Outcome::Skipped => Ok(()),
            Outcome::Done(mut outputs) if outputs.len() <= 1 => {
                if let Some(output) = outputs.pop() {
                    self.result.payload = Some(output.value);
                    if let OutputKey::Own(key) = output.key {
                        self.key = Some(key);
                    }
                }
                Ok(())
            }
            Outcome::Done(_) | Outcome::FanOut(_) => Err(HandlerError::permanent(
                class::MISFIT,
                "a gather makes one result, this one answered with several outputs or with parts",
            )),
        }
    }

    /// The group has failed, whatever its rule said.
    pub fn fail(&mut self, class: &str, message: &str) {
        self.closed.status = GroupStatus::Failed;
        self.result.status = GroupStatus::Failed;
        self.result.payload = None;
        self.result.error = Some(PartError::new(class, message));
    }
}
