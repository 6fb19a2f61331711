//! The gather of one closed group: its parts to its result.

use std::sync::Arc;

use bytes::Bytes;
use longshore_handler::{Context, Group, GroupPart, HandlerError, Outcome, OutputKey, Raw, class};
use longshore_kafka::lane::step::StepError;
use longshore_schemas::records::{Closed, GroupResult, GroupStatus, PartError};
use longshore_schemas::{Origin, RunId};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::task::spawn_blocking;

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

/// Makes a call that blocks, where nothing waits for it.
pub type Block = dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync;

/// Memory for what was spilled and comes back to be gathered, for all gathers of a process.
pub struct ReadBack {
    kib: Semaphore,
    kib_max: u32,
    block: Arc<Block>,
}

impl ReadBack {
    /// A quarter of what open groups may take, or a single group. Files are read on threads of the
    /// runtime that are there to be blocked.
    pub fn new(open_bytes_max: usize) -> Self {
        let block = |call| drop(spawn_blocking(call));
        Self::blocking_by(Arc::new(block), open_bytes_max)
    }

    /// The same where files are read as `block` says.
    pub fn blocking_by(block: Arc<Block>, open_bytes_max: usize) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let kib_max = u32::try_from(open_bytes_max / 4 / 1_024).unwrap_or(most).clamp(1, most);
        Self { kib: Semaphore::new(kib_max as usize), kib_max, block }
    }

    /// The parts with their payloads in memory, where they have their room as long as the permit
    /// is kept.
    async fn read(
        &self,
        parts: Vec<EndedPart>,
    ) -> Result<(Vec<GroupPart>, Option<SemaphorePermit<'_>>), StepError> {
        let spilled = parts.iter().filter(|part| part.payload.is_spilled());
        let bytes: usize = spilled.map(|part| part.payload.len()).sum();
        if bytes == 0 {
            return Ok((held(parts)?, None));
        }
        let kib = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).min(self.kib_max);
        let permit = self.kib.acquire_many(kib).await?;
        let (answer, answered) = oneshot::channel();
        (self.block)(Box::new(move || {
            // Without a receiver the group isn't wanted any more.
            let _ = answer.send(held(parts));
        }));
        Ok((answered.await??, Some(permit)))
    }
}

/// Gathers a group: attempts with a growing pause between them, and a FAILED result at the end of
/// them, so that every group has exactly one.
///
/// # Errors
/// If what was spilled can't be read back. Then the group has no result: the next owner makes it.
pub async fn gather(
    config: Arc<JoinConfig>,
    read_back: &ReadBack,
    closing: Closing,
    opened_in: i32,
) -> Result<Gathered, StepError> {
    let Closing { closed, run_id, parts, .. } = closing;
    let offsets: Vec<i64> = parts.iter().map(|part| part.offset).collect();
    let (parts, _room) = read_back.read(parts).await?;
    let group = Group {
        group_id: closed.group_id.clone(),
        revision: closed.revision,
        run_id: run_id.clone(),
        status: closed.status,
        completed_by: closed.completed_by,
        counts: closed.counts,
        missing: closed.missing.clone(),
        parts,
    };
    let mut gathered = Gathered::new(closed, run_id);
    let cx = context(&config, &gathered.closed, opened_in);
    let answer = attempts(&config, group, cx).await;
    if let Err(error) = answer.and_then(|outcome| gathered.take(outcome)) {
        gathered.fail(error.class(), &format!("{} (parts at {offsets:?})", error.message()));
    }
    Ok(gathered)
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
                pause = pause.saturating_mul(2).min(config.backoff_max);
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

/// Blocks if a payload was spilled.
fn held(parts: Vec<EndedPart>) -> Result<Vec<GroupPart>, StepError> {
    let part = |EndedPart { stage, part_id, status, payload, error, .. }| {
        let payload = payload.read().map_err(|error| format!("reads the spill file: {error}"))?;
        Ok(GroupPart { stage, part_id, status, payload, error })
    };
    parts.into_iter().map(part).collect()
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
    /// A group whose gather isn't called again: so many processes in a row have died of it.
    pub fn given_up(closing: Closing, deaths: u32) -> Self {
        let mut gathered = Self::new(closing.closed, closing.run_id);
        let message = format!(
            "{deaths} processes in a row died while they gathered it, the last ones while they \
             worked on nothing else of its partition"
        );
        gathered.fail(class::CRASH, &message);
        gathered
    }

    fn new(closed: Closed, run_id: Option<RunId>) -> Self {
        let result = GroupResult { run_id, ..result_of(&closed) };
        Self { closed, result, key: None }
    }

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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use longshore_handler::{FanOut, Handler, Handlers, Output};
    use longshore_schemas::Revision;
    use tokio::time::Instant;

    use super::*;
    use crate::fixture;

    /// Fails so many times, and notes when it is called.
    struct Flaky {
        failures: usize,
        calls: Arc<Mutex<Vec<Instant>>>,
    }

    impl Handler for Flaky {
        type Item = Group;

        async fn handle(&self, _: Group, _: &Context) -> Result<Outcome, HandlerError> {
            let mut calls = self.calls.lock().unwrap();
            calls.push(Instant::now());
            match calls.len() <= self.failures {
                true => Err(HandlerError::transient("away", "no answer")),
                false => Ok(Outcome::nothing()),
            }
        }
    }

    /// Three attempts, and between them 100 ms, then 150 ms.
    fn config(gather: Flaky) -> Arc<JoinConfig> {
        let mut handlers = Handlers::new();
        handlers.add("flaky", gather).unwrap();
        Arc::new(JoinConfig {
            attempts_max: 3,
            backoff_initial: Duration::from_millis(100),
            backoff_max: Duration::from_millis(150),
            ..fixture::config(&handlers)
        })
    }

    /// The group's status, and how long after the first call each was made, in milliseconds.
    async fn gathered_after(failures: usize) -> (GroupStatus, Vec<u128>) {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let config = config(Flaky { failures, calls: Arc::clone(&calls) });
        let read_back = ReadBack::new(1 << 20);
        let gathered = gather(config, &read_back, fixture::closing("g".into()), 0).await.unwrap();
        assert_eq!(gathered.closed.status, gathered.result.status);
        assert_eq!(gathered.result.error.is_some(), gathered.result.status == GroupStatus::Failed);
        let calls = calls.lock().unwrap();
        let since = |call: &Instant| call.duration_since(calls[0]).as_millis();
        (gathered.result.status, calls.iter().map(since).collect())
    }

    /// Answers with this.
    struct Answers(fn() -> Outcome);

    impl Handler for Answers {
        type Item = Group;

        async fn handle(&self, _: Group, _: &Context) -> Result<Outcome, HandlerError> {
            Ok((self.0)())
        }
    }

    async fn answered(answer: fn() -> Outcome) -> Gathered {
        let mut handlers = Handlers::new();
        handlers.add("answers", Answers(answer)).unwrap();
        let config = Arc::new(fixture::config(&handlers));
        let read_back = ReadBack::new(1 << 20);
        gather(config, &read_back, fixture::closing("g".into()), 0).await.unwrap()
    }

    #[tokio::test]
    async fn a_result_has_the_payload_and_the_key_that_its_gather_chose() {
        let gathered = answered(|| Output::bytes("sum").keyed("mine").into()).await;
        assert_eq!(gathered.result.payload, Some("sum".into()));
        assert_eq!(gathered.key, Some("mine".into()));
        assert_eq!(answered(Outcome::skipped).await.result.payload, None);
    }

    #[tokio::test]
    async fn a_gather_that_makes_more_than_one_result_has_failed() {
        let several: [fn() -> Outcome; 2] = [
            || Outcome::many(["a", "b"].map(Output::bytes)),
            || Outcome::fan_out(["a"].map(Output::bytes).into_iter().collect::<FanOut>()),
        ];
        for answer in several {
            let result = answered(answer).await.result;
            assert_eq!((result.status, result.payload), (GroupStatus::Failed, None));
            assert_eq!(result.error.unwrap().class, class::MISFIT);
        }
    }

    #[test]
    fn each_revision_of_a_group_has_an_idempotency_key_of_its_own() {
        let config = fixture::join();
        let closed = fixture::closing("g".into()).closed;
        let first = context(&config, &closed, 3);
        assert_eq!(first.origin.to_string(), "j.inbox/3/0/0");
        let second = context(&config, &Closed { revision: Revision(2), ..closed }, 3);
        assert_eq!((&*first.id, &*second.id), ("g", "g"));
        let keys = [first, second].map(|cx| cx.idempotency_key.to_string());
        assert_eq!(keys, ["g/1", "g/2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gather_is_tried_as_often_as_its_join_says_and_then_the_group_has_failed() {
        assert_eq!(gathered_after(0).await, (GroupStatus::Complete, vec![0]));
        assert_eq!(gathered_after(2).await, (GroupStatus::Complete, vec![0, 100, 250]));
        assert_eq!(gathered_after(3).await, (GroupStatus::Failed, vec![0, 100, 250]));
    }
}
