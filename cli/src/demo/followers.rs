//! Follows the topics of a run, read_committed, and counts what comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use longshore::inspect::{Observer, dead_letters};
use longshore::kafka::Record;
use longshore::kafka::admin::Isolation;
use longshore::kafka::reader::{ReadFrom, Reader};
use longshore::pipeline::Pipeline;
use longshore::schemas::records::{GroupResult, GroupStatus};
use longshore::schemas::{Codec, TopicName};

use super::counts::{Counts, Seen};
use super::live::say;

/// How soon a follower notices that it is to end.
const TURN: Duration = Duration::from_millis(100);

/// What a record of a topic stands for.
type Reads = fn(&Record) -> Seen;

/// Threads, one a topic. Dropping them ends them.
pub struct Followers {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Followers {
    /// Begins at the start of every topic.
    pub fn start(
        observer: &Observer,
        pipeline: &Pipeline,
        counts: &Arc<Counts>,
    ) -> anyhow::Result<Self> {
        let mut followers = Self { ending: Arc::default(), threads: Vec::new() };
        for (topic, reads) in topics(pipeline) {
            let reader = observer.reader(&topic, Isolation::Committed)?;
            let (counts, ending) = (Arc::clone(counts), Arc::clone(&followers.ending));
            let follow = move || {
                if let Err(error) = follow(reader, reads, &counts, &ending) {
                    say(&format!("a topic is no longer followed: {error:#}"));
                }
            };
            let thread = thread::Builder::new().name(format!("follow {topic}")).spawn(follow)?;
            followers.threads.push(thread);
        }
        Ok(followers)
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A follower that panicked has said so; what it counted is checked in the end anyway.
            let _panicked = thread.join();
        }
    }
}

/// The topics that are followed, and what their records stand for.
fn topics(pipeline: &Pipeline) -> Vec<(TopicName, Reads)> {
    let mut topics: Vec<(_, Reads)> = vec![(pipeline.source().topic.clone(), |_| Seen::Order)];
    let splitters = pipeline.stages().iter().filter(|stage| stage.fan_out.is_some());
    topics.extend(splitters.map(|it| (pipeline.own_topic(it), (|_| Seen::Line) as Reads)));
    for join in pipeline.joins() {
        topics.push((pipeline.results(join), settled));
        topics.push((pipeline.late(join), |_| Seen::Late));
    }
    let dead = dead_letters::topics_of(pipeline);
    topics.extend(dead.into_iter().map(|it| (it, (|_| Seen::DeadLetter) as Reads)));
    topics
}

/// A result that can't be read counts as a failed one here; the verification names it in the end.
fn settled(record: &Record) -> Seen {
    let codec = Codec::<GroupResult>::shared().ok();
    let result = codec.zip(record.value.as_ref()).and_then(|(it, value)| it.decode(value).ok());
    Seen::Settled(result.map_or(GroupStatus::Failed, |it| it.status))
}

fn follow(
    mut reader: Reader,
    reads: Reads,
    counts: &Counts,
    ending: &AtomicBool,
) -> anyhow::Result<()> {
    let mut following = reader.follow(&ReadFrom::LogStart)?;
    while !ending.load(Ordering::Relaxed) {
        if let Some(record) = following.poll(TURN)? {
            counts.add(reads(&record));
        }
    }
    Ok(())
}
