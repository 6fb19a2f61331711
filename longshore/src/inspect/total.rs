//! What is left of a whole pipeline, by committed progress and the bounds of logs: cheap enough to
//! be asked again and again.

use std::collections::BTreeMap;

use longshore_kafka::admin::{GroupProgress, Stability};

use super::consumer::Consumer;
use super::error::InspectError;
use super::lag::{Unfinished, bound};
use super::observer::Observer;
use super::standing::{Progress, Standing};
use crate::pipeline::Pipeline;

/// The groups of a pipeline, each with a client that asks for its progress.
pub struct Total {
    groups: Vec<(GroupProgress, Consumer)>,
}

impl Total {
    /// Of every stage and join.
    ///
    /// # Errors
    /// If a client can't be built.
    pub fn of(observer: &Observer, pipeline: &Pipeline) -> Result<Self, InspectError> {
        let consumers = Consumer::all(pipeline).into_iter();
        let groups = consumers.map(|it| Ok((observer.progress(&it.group)?, it)));
        Ok(Self { groups: groups.collect::<Result<_, InspectError>>()? })
    }

    /// Records that no group has finished, at most; zero is exact.
    ///
    /// # Errors
    /// If Kafka doesn't answer.
    pub fn unfinished(&self, observer: &Observer) -> Result<u64, InspectError> {
        let mut unfinished = 0;
        for (progress, consumer) in &self.groups {
            let found = progress.read(&consumer.topic, Stability::AsWritten)?;
            let mut committed: BTreeMap<_, _> = found.into_iter().collect();
            for log in observer.admin().watermarks(&consumer.topic)? {
                let partition = log.partition;
                let progress = Progress::of(committed.remove(&partition).flatten());
                unfinished += of_partition(&Standing { partition, log, progress });
            }
        }
        Ok(unfinished)
    }
}

fn of_partition(standing: &Standing) -> u64 {
    match bound(standing) {
        Unfinished::Exactly(count) | Unfinished::AtMost(count) => count,
        // Nothing is committed yet: all of it is unfinished.
        Unfinished::Unknown(_) => {
            let log = &standing.log;
            u64::try_from(log.high.0 - log.log_start.0).unwrap_or(0)
        }
    }
}
