//! Counts the records of aborted transactions: there for read_uncommitted, hidden from
//! read_committed.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::anyhow;
use longshore::inspect::Observer;
use longshore::kafka::admin::Isolation;
use longshore::pipeline::Pipeline;
use longshore::schemas::TopicName;

use super::evidence::PATIENCE;

/// A count that is under way, one thread for each topic and isolation.
pub struct Counting {
    all: Vec<Reading>,
    committed: Vec<Reading>,
}

/// A topic that is being read.
type Reading = JoinHandle<anyhow::Result<u64>>;

impl Counting {
    /// Begins to read what the stages and joins write. They must have ended.
    pub fn start(observer: &Arc<Observer>, pipeline: &Pipeline) -> anyhow::Result<Self> {
        let topics = written(pipeline);
        let all = |isolation| -> anyhow::Result<Vec<_>> {
            topics.iter().map(|topic| read(observer, topic, isolation)).collect()
        };
        Ok(Self { all: all(Isolation::Uncommitted)?, committed: all(Isolation::Committed)? })
    }

    /// Records that only read_uncommitted sees.
    pub fn hidden(self) -> anyhow::Result<u64> {
        Ok(sum(self.all)?.saturating_sub(sum(self.committed)?))
    }
}

/// The topics between the stages, and behind them.
fn written(pipeline: &Pipeline) -> Vec<TopicName> {
    let mut topics: Vec<_> = pipeline.stages().iter().map(|it| pipeline.output(it)).collect();
    topics.extend(pipeline.joins().iter().map(|join| pipeline.results(join)));
    topics.sort_unstable();
    topics.dedup();
    topics
}

fn read(
    observer: &Arc<Observer>,
    topic: &TopicName,
    isolation: Isolation,
) -> anyhow::Result<Reading> {
    let (observer, topic) = (Arc::clone(observer), topic.clone());
    let name = format!("count {topic}");
    let reading = move || records(&observer, &topic, isolation);
    Ok(thread::Builder::new().name(name).spawn(reading)?)
}

fn records(observer: &Observer, topic: &TopicName, isolation: Isolation) -> anyhow::Result<u64> {
    let mut count = 0;
    for record in observer.reader(topic, isolation)?.read_all(PATIENCE)? {
        record?;
        count += 1;
    }
    Ok(count)
}

fn sum(readings: Vec<Reading>) -> anyhow::Result<u64> {
    let counts =
        readings.into_iter().map(|it| it.join().map_err(|_| anyhow!("a count panicked"))?);
    counts.sum()
}
