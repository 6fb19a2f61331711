//! A run of the demo from beginning to end.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use longshore::inspect::Observer;
use longshore::local::{Cluster, Environment};
use longshore::pipeline::Pipeline;
use longshore::settings::{self, Settings};
use longshore::staff::{Interrupt, Launch, Service, Staff};
use longshore::{Command, Exit, Options};
use longshore_orders::faults::Faults;
use longshore_orders::verify::{Expected, Ledger};

use super::counts::{Counts, Tally};
use super::course::{Course, Goal};
use super::followers::Followers;
use super::hidden::Counting;
use super::killer::Killer;
use super::lag::Watch;
use super::live::say;
use super::summary::Summary;
use super::{Args, assembly, broker, cleaning, evidence, faults, pipeline_file};

/// Runs the demo. Its exit code is 0 only if every expected set is met exactly and no process
/// failed.
pub fn run(options: &Options, args: &Args) -> ExitCode {
    match try_run(options, args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            say(&format!("error: {error:#}"));
            Exit::Failed.into()
        }
    }
}

fn try_run(options: &Options, args: &Args) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::listen().context("could not listen for signals")?;
    let mut environment = Environment::from_process()?;
    if let Some(servers) = &options.bootstrap_server {
        environment.bootstrap_servers = Some(servers.clone());
    }
    let cluster = broker::find_or_start(&environment, args.keep)?;
    say(&format!("using {}", broker::introduced(&cluster)));
    let run = Run::prepare(options, args, &environment, &cluster)?;
    let outcome = run.to_its_end(&interrupt);
    if interrupt.is_asked() {
        // Nobody wants to look at half a run.
        run.clean_up(&cluster)?;
        bail!("interrupted; nothing of run {} is left", run.name);
    }
    let summary = outcome.with_context(|| {
        format!("run {} failed; its processes' logs are in {}", run.name, run.folder.display())
    })?;
    tell(&summary.to_string())?;
    if !summary.report.is_met() {
        return Ok(Exit::Failed);
    }
    if args.keep {
        let servers = cluster.bootstrap_servers();
        tell(&cleaning::commands(&environment, &servers, &run.pipeline, &run.file()))?;
    } else {
        run.clean_up(&cluster)?;
    }
    Ok(Exit::Done)
}

/// The report stands on standard output, and nothing else.
fn tell(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

/// A run that is ready to begin.
struct Run<'a> {
    args: &'a Args,
    name: String,
    folder: PathBuf,
    options: Options,
    pipeline: Pipeline,
    observer: Arc<Observer>,
    expected: Expected,
}

impl<'a> Run<'a> {
    /// Picks a name, writes the pipeline file, and creates the topics.
    fn prepare(
        options: &Options,
        args: &'a Args,
        environment: &Environment,
        cluster: &Cluster,
    ) -> anyhow::Result<Self> {
        let name = format!("orders-{:04x}", rand::random::<u16>());
        let folder = environment.cache_dir.join("demo").join(&name);
        fs::create_dir_all(&folder).with_context(|| format!("could not make {folder:?}"))?;
        let text = pipeline_file::of_run(longshore_orders::PIPELINE, &name, args.join_timeout());
        let text = text.context("examples/orders/orders.yaml is not as the demo knows it")?;
        let file = folder.join("orders.yaml");
        fs::write(&file, &text).with_context(|| format!("could not write {file:?}"))?;
        let options = Options {
            bootstrap_server: Some(cluster.bootstrap_servers()),
            pipeline: Some(file.to_string_lossy().into_owned()),
            ..options.clone()
        };
        let fleet = longshore_orders::fleet(Faults::none()).pipeline(&text);
        let pipeline = fleet.default_pipeline()?;
        fleet.try_execute(&options, &Command::Apply, &mut io::sink())?;
        let kafka = Settings::resolve(&options, &settings::Environment::of_process())?.kafka;
        let observer = Arc::new(Observer::connect(&kafka)?);
        let expected = Expected::of(args.scale, Faults::seeded(args.seed, args.join_timeout()));
        Ok(Self { args, name, folder, options, pipeline, observer, expected })
    }

    fn file(&self) -> PathBuf {
        self.folder.join("orders.yaml")
    }

    /// Removes all that the run has made. A Kafka of its own goes as a whole.
    fn clean_up(&self, cluster: &Cluster) -> anyhow::Result<()> {
        if let Cluster::Given { .. } | Cluster::Shared(_) = cluster {
            cleaning::delete(&self.observer, &self.pipeline)?;
        }
        fs::remove_dir_all(&self.folder).context("could not remove the run's folder")
    }

    fn to_its_end(&self, interrupt: &Interrupt) -> anyhow::Result<Summary> {
        let launch = self.launch()?;
        let lines: u32 = self.expected.orders.values().map(|order| order.lines).sum();
        let (orders, seed) = (self.expected.orders.len(), self.args.seed);
        say(&format!("{}: {orders} orders with {lines} lines, seed {seed}", self.name));
        let counts = Arc::new(Counts::default());
        let followers = Followers::start(&self.observer, &self.pipeline, &counts)?;
        let lag = Watch::start(Arc::clone(&self.observer), &self.pipeline)?;
        let mut staff = Staff::start(launch, self.args.workers, self.args.coordinators)?;
        // Kills may come at any time, while the work is divided too.
        if !self.args.kill {
            let watched = (&mut staff, interrupt);
            assembly::wait(&self.observer, &self.pipeline, self.args, watched)?;
        }
        say(&format!("{} processes are started; publishing begins", staff.size()));
        let source = format!("tpch:{}", self.args.scale);
        let publish = self.launch()?.command(&["produce", &source]);
        let log = self.folder.join("produce.log");
        let mut course = Course::begin((&publish, &log), self.goal(), (&counts, &lag), staff)?;
        course.until_all_is_there(interrupt)?;
        let everything_after = course.began.elapsed();
        let complete_after = counts.last_complete().map(|it| it - course.began);
        say("everything is there; stopping the fleet and reading its topics from the beginning");
        let service = course.staff.stop()?;
        drop((followers, lag));
        self.verify(service, complete_after, everything_after)
    }

    fn launch(&self) -> anyhow::Result<Launch> {
        let timeout = self.args.join_timeout();
        let variables = faults::variables(self.args.seed, timeout);
        Ok(Launch::new(&self.options, &self.folder, variables)?)
    }

    fn verify(
        &self,
        service: Service,
        complete_after: Option<Duration>,
        everything_after: Duration,
    ) -> anyhow::Result<Summary> {
        let began = Instant::now();
        let counting = Counting::start(&self.observer, &self.pipeline)?;
        let mut ledger = Ledger::new(self.expected.clone());
        evidence::enter(&self.observer, &self.pipeline, &mut ledger)?;
        let hidden = counting.hidden()?;
        Ok(Summary {
            name: self.name.clone(),
            seed: self.args.seed,
            report: ledger.conclude(),
            hidden,
            service,
            complete_after,
            everything_after,
            verified_in: began.elapsed(),
        })
    }

    fn goal(&self) -> Goal {
        Goal {
            awaited: self.awaited(),
            deadline: self.args.deadline(self.expected.orders.len()),
            killer: self.args.kill.then(|| Killer::seeded(self.args.seed)),
        }
    }

    /// What must stand on the topics in the end.
    fn awaited(&self) -> Tally {
        let orders = &self.expected.orders;
        let complete = orders.values().filter(|order| order.is_complete()).count();
        Tally {
            orders: orders.len() as u64,
            lines: 0,
            complete: complete as u64,
            partial: (orders.len() - complete) as u64,
            dead_letters: self.expected.dead_letters.len() as u64,
            late: self.expected.late.len() as u64,
        }
    }
}
