//! `produce`: publishes work items to the pipeline's source, each once however often it is run.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar};
use longshore_producer::{Ending, Input, ProducerConfig, Progress, Summary, Topics};
use longshore_telemetry::{Shutdown, StartError, logs};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::pipeline::Pipeline;
use crate::registry::RegisteredItem;
use crate::session::Session;
use crate::{CommandError, Exit};

/// Items in one transaction at most: a hundredth of a second's work at full speed.
const BATCH_ITEMS_MAX: usize = 5_000;
/// How long an item waits at most for company in its transaction.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// Bytes of a line: what a topic takes unless it says otherwise, and as much again, since JSON is
/// wider than Avro.
const LINE_BYTES_MAX: usize = 2 << 20;
/// How often progress is told where there is no terminal.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// What TPC-H inputs begin with.
const TPCH: &str = "tpch:";

/// What is published.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A file with a JSON object on each line, `-` for standard input, or `tpch:SCALE` for the
    /// orders of TPC-H (scale 1 is 1,500,000 orders)
    #[arg(value_name = "FILE | - | tpch:SCALE", value_parser = input)]
    pub input: Input,
    /// Items a second at most
    #[arg(long, value_name = "ITEMS")]
    pub rate: Option<NonZeroU32>,
    /// A name by which the input is known again, whatever its content
    #[arg(long, value_name = "NAME")]
    pub source_id: Option<String>,
    /// The field that is the idempotency key; without it that is the item's id
    #[arg(long, value_name = "FIELD")]
    pub idempotency_key: Option<String>,
}

/// What an input on the command line means.
pub(super) fn input(text: &str) -> Result<Input, String> {
    match (text, text.strip_prefix(TPCH)) {
        ("-", _) => Ok(Input::StandardInput),
        (path, None) => Ok(Input::JsonLines { path: PathBuf::from(path) }),
        (_, Some(scale)) => match scale.parse() {
            Ok(scale) if scale > 0.0 => Ok(Input::TpchOrders { scale }),
            _ => Err("a scale is a number above 0, such as `tpch:0.01`".to_owned()),
        },
    }
}

pub(super) fn run(args: &Args, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let pipeline = session.pipeline()?;
    let config = config(args, &pipeline, schema(session, &pipeline));
    let kafka = session.kafka()?;
    logs::start(session.settings.telemetry.logs, |_| {}).map_err(StartError::from)?;
    let runtime = Runtime::new().map_err(CommandError::system("start the thread of signals"))?;
    let entered = runtime.enter();
    let shutdown = Shutdown::listen().map_err(CommandError::system("listen for signals"))?;
    let mut teller = Teller::new();
    let published = longshore_producer::run(&config, &kafka, &shutdown.token(), &mut |progress| {
        teller.tell(progress);
    });
    drop(entered);
    teller.bar.finish_and_clear();
    session.out.answer(&Published::of(&published?))?;
    Ok(Exit::Done)
}

fn schema(session: &Session<'_>, pipeline: &Pipeline) -> RegisteredItem {
    let item = session.fleet.registry().item_named(&pipeline.source().schema);
    item.expect("a checked pipeline names only items that there are")
}

fn config(args: &Args, pipeline: &Pipeline, item: RegisteredItem) -> ProducerConfig {
    let source = pipeline.source();
    ProducerConfig {
        input: args.input.clone(),
        source_id: args.source_id.clone(),
        topics: Topics {
            items: source.topic.clone(),
            dead_letters: source.dead_letters(),
            cursors: source.cursors.clone(),
        },
        group: pipeline.producer_group(),
        schema: item.schema.to_owned(),
        key: source.key.clone(),
        idempotency_key: args.idempotency_key.clone(),
        rate: args.rate,
        batch_items_max: BATCH_ITEMS_MAX,
        commit_interval: COMMIT_INTERVAL,
        line_bytes_max: LINE_BYTES_MAX,
    }
}

/// Tells the progress: live on a terminal, by a line every few seconds elsewhere.
struct Teller {
    bar: ProgressBar,
    told: Instant,
}

impl Teller {
    fn new() -> Self {
        Self { bar: ProgressBar::new_spinner(), told: Instant::now() }
    }

    fn tell(&mut self, progress: &Progress) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!(
                "{} items, {}, {:.0} a second, {} dead letters",
                HumanCount(progress.items),
                HumanBytes(progress.bytes),
                progress.rate(),
                progress.dead_letters
            ));
            self.bar.tick();
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            let (items, dead_letters) = (progress.items, progress.dead_letters);
            tracing::info!(items, dead_letters, rate = progress.rate(), "publishing");
        }
    }
}

/// What was published.
#[derive(Debug, Serialize)]
struct Published {
    ending: &'static str,
    items: u64,
    dead_letters: u64,
    bytes: u64,
    /// The line or item behind which this run went on.
    resumed_behind: u64,
    seconds: f64,
}

impl Published {
    fn of(summary: &Summary) -> Self {
        Self {
            ending: match summary.ending {
                Ending::Finished => "finished",
                Ending::AlreadyPublished => "already published",
                Ending::Drained => "stopped before its end, the next run goes on there",
            },
            items: summary.published.items,
            dead_letters: summary.published.dead_letters,
            bytes: summary.published.bytes,
            resumed_behind: summary.resumed_at.line,
            seconds: summary.published.elapsed.as_secs_f64(),
        }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} items ({}) and {} dead letters in {:.1} s",
            self.ending,
            HumanCount(self.items),
            HumanBytes(self.bytes),
            self.dead_letters,
            self.seconds
        )?;
        match self.resumed_behind {
            0 => Ok(()),
            line => write!(f, "; earlier runs had published the first {}", HumanCount(line)),
        }
    }
}
