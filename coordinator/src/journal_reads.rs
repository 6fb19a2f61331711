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

/// Partitions whose journals are read at once: each takes two clients and a thread.
const AT_ONCE: usize = 8;
/// Between two tries. Each has waited for brokers before it failed.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long a journal that can't be read stops the join.
const TRIED_MAX: Duration = Duration::from_secs(600);

/// Reads journals until `draining` is cancelled; from then on nothing is answered.
pub(crate) fn reader(
    settings: Settings,
    topic: TopicName,
    runtime: Handle,
    draining: CancellationToken,
) -> Arc<ReadJournal> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    Arc::new(move |partition: Partition, from: JournalFrom, answer: JournalAnswer| {
        let (settings, topic) = (settings.clone(), topic.clone());
        let (places, draining) = (Arc::clone(&places), draining.clone());
        runtime.spawn(async move {
            let name = format!("{topic}/{partition}");
            let attempt = || {
                let (settings, topic, places) =
                    (settings.clone(), topic.clone(), Arc::clone(&places));
                async move {
                    let _place = places.acquire().await.ok()?;
                    let of = topic.clone();
                    let read = move || journal::read(&settings, &of, partition, from);
                    match spawn_blocking(read).await {
                        Ok(read) => Some(read),
                        Err(error) if error.is_panic() => {
                            Some(Err(JournalError::Panicked { topic, partition }))
                        }
                        Err(_) => None,
                    }
                }
            };
            if let Some(read) = persist(attempt, &name, &draining).await {
                answer(read.map_err(Into::into));
            }
        });
    })
}

/// Tries again as long as what keeps it from being read may pass. None: the process is on its end.
async fn persist<F>(
    mut attempt: impl FnMut() -> F,
    journal: &str,
    draining: &CancellationToken,
) -> Option<Result<JournalRead, JournalError>>
where
    F: Future<Output = Option<Result<JournalRead, JournalError>>>,
{
    let begun = Instant::now();
    loop {
        let error = match attempt().await? {
            Err(error) if error.may_pass() && begun.elapsed() < TRIED_MAX => error,
            read => return Some(read),
        };
        let reason = match &error {
            JournalError::Read(error) => error.with_causes(),
            other => other.to_string(),
        };
        tracing::warn!(journal, %reason, "a journal can't be read, and is tried again");
        tokio::select! {
            () = draining.cancelled() => return None,
            () = sleep(PAUSE) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

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
        let mut tries = 0;
        let attempt = || {
            tries += 1;
            let read = JournalRead { end: tries, ..JournalRead::default() };
            ready(Some(if tries < 5 { Err(passing()) } else { Ok(read) }))
        };
        let read = persist(attempt, "journal/0", &CancellationToken::new()).await;
        assert_eq!(read.expect("in time").expect("the fifth time").end, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_not_waited_for_without_an_end() {
        let begun = Instant::now();
        let attempt = || ready(Some(Err(passing())));
        let read = persist(attempt, "journal/0", &CancellationToken::new()).await;
        assert!(read.expect("an answer").is_err());
        assert!((TRIED_MAX..TRIED_MAX + 2 * PAUSE).contains(&begun.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_told_at_once_and_a_drain_waits_for_nothing() {
        let (begun, draining) = (Instant::now(), CancellationToken::new());
        let read = persist(|| ready(Some(Err(lasting()))), "journal/0", &draining).await;
        assert!(matches!(read, Some(Err(JournalError::NoPartition { .. }))), "{read:?}");
        draining.cancel();
        let read = persist(|| ready(Some(Err(passing()))), "journal/0", &draining).await;
        assert!(read.is_none() && begun.elapsed() < PAUSE, "{read:?}");
    }
}
