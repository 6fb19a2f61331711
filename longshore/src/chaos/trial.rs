//! Both runs, and what they come to.

use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use longshore_kafka::Settings as KafkaSettings;
use longshore_local::Environment;
use longshore_producer::Input;

use super::course::{Course, Ended, Moment, Storm};
use super::difference::{Compare, compare};
use super::error::ChaosError;
use super::kafka::Kafka;
use super::publisher::Publisher;
use super::report::{Report, RunReport};
use super::trouble::{Kind, Tally};
use crate::Options;
use crate::assemble::topics;
use crate::audit::{Options as AuditOptions, Plan, audit};
use crate::inspect::open_groups::JoinView;
use crate::inspect::{Observer, Total};
use crate::pipeline::Pipeline;
use crate::staff::{Counters, Interrupt, Launch, Staff};

/// Orders in TPC-H at scale 1.
const TPCH_ORDERS: f64 = 1_500_000.0;
/// Inbox records that are read of one partition to know its open groups.
const OPEN_RECORDS_MAX: u64 = 10_000_000;
/// How long a transaction may hold the audit back.
const AUDIT_PATIENCE: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Orders {
    /// What is published, as `produce` is told.
    pub input: String,
    /// The same, read.
    pub source: Input,
    /// The pipeline file, unless it is the fleet's own.
    pub pipeline_file: Option<PathBuf>,
    /// Decides all that goes wrong.
    pub seed: u64,
    /// What may go wrong.
    pub kinds: Vec<Kind>,
    /// For how long.
    pub lasts: Duration,
    /// Items a second; without it, as many as make publishing last as long as the faults.
    pub rate: Option<NonZeroU32>,
    /// Worker processes.
    pub workers: u32,
    /// Coordinator processes, if the pipeline has joins.
    pub coordinators: u32,
    /// What of the outputs must be the same in both runs.
    pub compare: Compare,
    /// How long everything may take to be done, once nothing goes wrong any more.
    pub patience: Duration,
    /// Whether stages may leave items out.
    pub may_skip: bool,
    /// Faults and differences that are named.
    pub shown: usize,
}

/// Runs the pipeline in peace and under faults, and holds the one against the other.
///
/// # Errors
/// If a run can't be made or doesn't come to an end. What was found wrong is in the report.
pub fn chaos(
    orders: &Orders,
    pipeline: &Pipeline,
    environment: &Environment,
    tell: &mut dyn FnMut(&Moment),
) -> Result<Report, ChaosError> {
    let interrupt = Interrupt::listen().map_err(ChaosError::system("listen for signals"))?;
    let rate = rate(orders)?;
    // Of each seed the last run's logs are kept, if there was something to look for.
    let folder = environment.cache_dir.join("chaos").join(format!("seed-{}", orders.seed));
    let _emptied = fs::remove_dir_all(&folder);
    let trial = Trial { orders, pipeline, environment, folder, rate, interrupt: &interrupt };
    let calm = match orders.compare {
        Compare::None => None,
        Compare::Values | Compare::Keys => Some(trial.run("in peace", None, tell)?),
    };
    let storm = Storm { seed: orders.seed, kinds: orders.kinds.clone(), lasts: orders.lasts };
    let stormy = trial.run("under faults", Some(&storm), tell)?;
    let report = trial.judge(calm, stormy)?;
    if report.verdict().is_good() {
        let _removed = fs::remove_dir_all(&trial.folder);
    }
    Ok(report)
}

/// Publishing lasts as long as the faults do, so that they have something to hit.
fn rate(orders: &Orders) -> Result<Option<NonZeroU32>, ChaosError> {
    if orders.rate.is_some() {
        return Ok(orders.rate);
    }
    let items = match &orders.source {
        Input::StandardInput => return Err(ChaosError::StandardInput),
        Input::TpchOrders { scale } => (scale * TPCH_ORDERS) as u64,
        Input::JsonLines { path } => lines(path)?,
    };
    let rate = items / orders.lasts.as_secs().max(1);
    let rate = u32::try_from(rate).unwrap_or(u32::MAX).max(1);
    Ok(NonZeroU32::new(rate))
}

fn lines(path: &Path) -> Result<u64, ChaosError> {
    let unreadable = |source| ChaosError::Input { path: path.display().to_string(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    let lines = BufReader::new(file).split(b'\n');
    lines.map(|line| line.map(|_| 1).map_err(unreadable)).sum()
}

struct Trial<'a> {
    orders: &'a Orders,
    pipeline: &'a Pipeline,
    environment: &'a Environment,
    folder: PathBuf,
    rate: Option<NonZeroU32>,
    interrupt: &'a Interrupt,
}

impl Trial<'_> {
    fn run(
        &self,
        name: &'static str,
        storm: Option<&Storm>,
        tell: &mut dyn FnMut(&Moment),
    ) -> Result<Ended, ChaosError> {
        let folder = self.folder.join(name.replace(' ', "-"));
        fs::create_dir_all(&folder).map_err(ChaosError::system("make a folder for logs"))?;
        let kafka = Kafka::start(self.environment)?;
        let settings = KafkaSettings::new(kafka.servers());
        topics::apply(&settings, &self.pipeline.plan()).map_err(Box::new)?;
        let observer = Observer::connect(&settings)?;
        let launch = self.launch(&kafka, &folder)?;
        let publish = self.publish(&launch, storm.is_some());
        let coordinators =
            if self.pipeline.joins().is_empty() { 0 } else { self.orders.coordinators };
        let staff = Staff::start(launch, self.orders.workers, coordinators)?;
        let publisher = Publisher::start(publish, folder.join("produce"))?;
        let joins = self.pipeline.joins().iter();
        let course = Course {
            name,
            kafka,
            staff,
            publisher,
            total: Total::of(&observer, self.pipeline)?,
            observer,
            joins: joins.map(|it| JoinView::of(self.pipeline, it, OPEN_RECORDS_MAX)).collect(),
            interrupt: self.interrupt,
            tell,
            tally: Tally::default(),
            counters: Counters::default(),
            began: Instant::now(),
            looked: Instant::now(),
            frozen: Vec::new(),
            memory: Vec::new(),
            pace: None,
        };
        course.finish(storm, self.orders.patience)
    }

    fn launch(&self, kafka: &Kafka, folder: &Path) -> Result<Launch, ChaosError> {
        let file = self.orders.pipeline_file.as_ref();
        let options = Options {
            bootstrap_server: Some(kafka.servers_of_fleet()),
            pipeline: file.map(|file| file.to_string_lossy().into_owned()),
            ..Options::default()
        };
        let program = ChaosError::system("find this program's own file");
        Launch::new(&options, folder, []).map_err(program)
    }

    fn publish(&self, launch: &Launch, is_paced: bool) -> std::process::Command {
        let mut publish = launch.command(&["produce", &self.orders.input]);
        // By this name it is known again when it is started again.
        publish.args(["--source-id", "chaos"]);
        if let Some(rate) = self.rate.filter(|_| is_paced) {
            publish.args(["--rate", &rate.to_string()]);
        }
        publish
    }

    fn judge(&self, calm: Option<Ended>, stormy: Ended) -> Result<Report, ChaosError> {
        let orders = self.orders;
        let plan = Plan::of(self.pipeline, &[]);
        let plan = plan.map_err(|error| Box::new(error.into()))?;
        let options = AuditOptions {
            shown: orders.shown,
            may_skip: orders.may_skip,
            patience: AUDIT_PATIENCE,
            state_dir: None,
        };
        let audit = audit(&stormy.observer, &plan, &options)?;
        let difference = match &calm {
            None => None,
            Some(calm) => {
                let both = [&calm.observer, &stormy.observer];
                Some(compare(both, self.pipeline, orders.compare, orders.shown)?)
            }
        };
        Ok(Report {
            seed: orders.seed,
            calm: calm.as_ref().map(RunReport::of),
            stormy: RunReport::of(&stormy),
            missed: orders.kinds.iter().filter(|it| stormy.tally.of(**it) == 0).copied().collect(),
            audit,
            difference,
            logs: self.folder.clone(),
        })
    }
}
