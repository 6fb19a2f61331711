//! Journals are read beside the lane, a few at a time, and again while brokers are away: a
//! partition that is taken over waits for its journal, and others go on meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use longshore_kafka::{Partition, Settings};
use longshore_schemas::TopicName;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::journal::{self, JournalError};
use crate::{JournalAnswer, JournalFrom, JournalRead, ReadJournal};

/// Partitions whose journals are read at once for the first time: each takes two clients and a
/// thread.
const AT_ONCE: usize = 8;
/// The same of those that are tried again. They have places of their own: brokers that are away
/// hold up no journal that can be read.
const AGAIN_AT_ONCE: usize = 4;
/// Between two tries. Each has waited for brokers before it failed.
const PAUSE: Duration = Duration::from_secs(1);
/// So long after its first try a journal that can't be read stops the join.
const TRIED_MAX: Duration = Duration::from_secs(600);

/// Reads journals, each until it isn't wanted any more, and all until `draining` is cancelled; from
/// then on nothing is answered.
pub(crate) fn reader(
    settings: Settings,
    topic: TopicName,
    runtime: Handle,
    draining: CancellationToken,
) -> Arc<ReadJournal> {
    let places = [AT_ONCE, AGAIN_AT_ONCE].map(|it| Arc::new(Semaphore::new(it)));
    let read = move |partition, from, answer: JournalAnswer, unwanted: CancellationToken| {
        let journal = Journal { settings: settings.clone(), topic: topic.clone(), partition, from };
        let (places, draining) = (places.clone(), draining.clone());
        runtime.spawn(async move {
            let name = format!("{}/{partition}", journal.topic);
            let attempt = |tries: usize| {
                let (journal, places) = (journal.clone(), Arc::clone(&places[tries.min(1)]));
                async move {
                    let _place = places.acquire().await;
                    journal.read().await
                }
            };
            let read = while_wanted(persist(attempt, &name), [&draining, &unwanted]).await;
            if let Some(read) = read {
                answer(read.map_err(Into::into));
            }
        });
    };
    Arc::new(read)
}

/// A partition of a journal, and how to read it.
#[derive(Clone)]
struct Journal {
    settings: Settings,
    topic: TopicName,
    partition: Partition,
    from: JournalFrom,
}

impl Journal {
    async fn read(self) -> Result<JournalRead, JournalError> {
        let (topic, partition) = (self.topic.clone(), self.partition);
        let read = move || journal::read(&self.settings, &self.topic, self.partition, self.from);
        // What was cancelled, by the end of the runtime, has nobody to be told.
        let lost = |_| Err(JournalError::Panicked { topic, partition });
        spawn_blocking(read).await.unwrap_or_else(lost)
    }
}

/// None when one of these was cancelled before it was done.
async fn while_wanted<T>(
    work: impl Future<Output = T>,
    [draining, unwanted]: [&CancellationToken; 2],
) -> Option<T> {
    tokio::select! {
        biased;
        () = draining.cancelled() => None,
        () = unwanted.cancelled() => None,
        done = work => Some(done),
    }
}

/// Tries again as long as what keeps it from being read may pass.
async fn persist<F>(
    mut attempt: impl FnMut(usize) -> F,
    journal: &str,
) -> Result<JournalRead, JournalError>
where
    F: Future<Output = Result<JournalRead, JournalError>>,
{
    let mut tries = 0;
    let mut failing_since = None;
    loop {
        let error = match attempt(tries).await {
            Err(error) if error.may_pass() => error,
            read => return read,
        };
        if failing_since.get_or_insert_with(Instant::now).elapsed() >= TRIED_MAX {
            return Err(error);
        }
        let reason = match &error {
            JournalError::Read(error) => error.with_causes(),
            other => other.to_string(),
        };
        tracing::warn!(journal, %reason, "a journal can't be read, and is tried again");
        tries += 1;
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use longshore_kafka::Offset;
    use longshore_kafka::reader::ReadError;

    use super::*;

    fn passing() -> JournalError {
        JournalError::Read(ReadError::Stalled {
            topic: "journal".into(),
            partition: Partition(0),
            position: Offset(1),
            end: Offset(2),
            waited: Duration::ZERO,
        })
    }

    fn lasting() -> JournalError {
        JournalError::NoPartition { topic: "journal".into(), partition: Partition(0) }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_waited_for() {
        let attempt = |tries: usize| {
            let read = JournalRead { end: tries as i64, ..JournalRead::default() };
            ready(if tries < 5 { Err(passing()) } else { Ok(read) })
        };
        assert_eq!(persist(attempt, "journal/0").await.expect("the sixth time").end, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_waited_for_without_an_end() {
        let begun = Instant::now();
        assert!(persist(|_| ready(Err(passing())), "journal/0").await.is_err());
        assert!((TRIED_MAX..TRIED_MAX + 2 * PAUSE).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_told_at_once() {
        let begun = Instant::now();
        let read = persist(|_| ready(Err(lasting())), "journal/0").await;
        assert!(matches!(read, Err(JournalError::NoPartition { .. })), "{read:?}");
        assert!(begun.elapsed() < PAUSE);
    }

    #[tokio::test]
    async fn what_is_not_wanted_is_not_answered() {
        let [goes_on, ends] = [(); 2].map(|()| CancellationToken::new());
        ends.cancel();
        assert_eq!(while_wanted(ready(1), [&goes_on, &goes_on]).await, Some(1));
        for tokens in [[&ends, &goes_on], [&goes_on, &ends]] {
            assert_eq!(while_wanted(ready(1), tokens).await, None);
            assert_eq!(while_wanted(pending::<u8>(), tokens).await, None);
        }
    }
}
