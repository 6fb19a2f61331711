//! How long an item takes, from when it is sent to when a committed reader has what was made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use longshore::kafka::admin::Isolation;
use longshore::kafka::reader::{ReadFrom, Reader};
use longshore::schemas::{Codec, TopicName};

use crate::Work;
use crate::contestant::Run;
use crate::fill::record;
use crate::ground::Ground;
use crate::report::Column;
use crate::running::Running;
use crate::workload::Items;
use crate::writer::Writer;

/// How long the first output, and any later one, may take.
const OUTPUT_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// What the columns of a latency are, each with the digits that are shown.
pub(crate) const COLUMNS: &[Column] =
    &[("p50 ms", 1), ("p90 ms", 1), ("p99 ms", 1), ("most ms", 1), ("first output after s", 2)];

/// Sends so many items a second, and measures from `warm_up` after the first output for `span`.
/// Answers the columns.
pub(crate) fn measure(
    ground: &Ground,
    run: &Run<'_>,
    (items, rate): (Items, u64),
    running: &mut Running,
    (warm_up, span): (Duration, Duration),
) -> Result<Vec<f64>> {
    let mut reader = Reader::open(ground.settings(), &run.to(), Isolation::Committed)?;
    let mut outputs = reader.follow(&ReadFrom::LogStart)?;
    let sender = Sender::start(ground, run.from(), (items, rate))?;
    let codec = Codec::<Work>::new()?;
    let mut first: Option<Instant> = None;
    let mut took = Vec::new();
    let mut last = Instant::now();
    while first.is_none_or(|first| first.elapsed() < warm_up + span) {
        running.check()?;
        let Some(record) = outputs.poll(POLL)? else {
            ensure!(last.elapsed() < OUTPUT_MAX, "no output within {OUTPUT_MAX:?}");
            continue;
        };
        last = Instant::now();
        let began = *first.get_or_insert(last);
        let item = codec.decode(record.value.as_deref().context("an output without a value")?)?;
        if began.elapsed() >= warm_up {
            took.push((now_micros()? - item.sent) as f64 / 1e3);
        }
    }
    sender.stop()?;
    let first = first.context("an output")?.duration_since(running.since());
    took.sort_by(f64::total_cmp);
    let at = |share: f64| -> Result<f64> {
        let index = (took.len() as f64 * share) as usize;
        took.get(index.min(took.len().saturating_sub(1))).copied().context("nothing was measured")
    };
    Ok(vec![at(0.5)?, at(0.9)?, at(0.99)?, at(1.0)?, first.as_secs_f64()])
}

fn now_micros() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}

/// Sends items on a thread of its own until it is stopped.
struct Sender {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Result<()>>,
}

impl Sender {
    fn start(ground: &Ground, topic: TopicName, (items, rate): (Items, u64)) -> Result<Self> {
        let writer = Writer::open(ground, Duration::ZERO)?;
        let pause = Duration::from_secs(1) / u32::try_from(rate)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let codec = Codec::<Work>::new()?;
            let payload = "x".repeat(items.bytes);
            let began = Instant::now();
            // Bounded: it is stopped.
            for number in 0_u32.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let due = began + pause * number;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let (key, sequence) =
                    (i64::from(number) % items.keys as i64, i64::from(number) / items.keys as i64);
                let item = Work { key, sequence, sent: now_micros()?, payload: payload.clone() };
                writer.send(&record(&topic, &codec, &item)?)?;
            }
            writer.flush()
        });
        Ok(Self { stop, thread })
    }

    fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the sender panicked"))?
    }
}
