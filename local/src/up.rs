//! The broker that stays: `up` starts it and lets go, `status` looks, `down` stops it.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;

use crate::broker_dir::BrokerDir;
use crate::leash::Leash;
use crate::lock::Lock;
use crate::node::Node;
use crate::owned::STOP_MAX;
use crate::ports::Ports;
use crate::process::ProcessId;
use crate::server::Server;
use crate::state::RunningBroker;
use crate::{Environment, LocalError, Progress, choice};

/// One process at a time starts or stops the broker; the other one may be installing Kafka.
const LOCK_MAX: Duration = Duration::from_secs(900);

/// A killed process is gone at once, unless the kernel holds it.
const KILL_MAX: Duration = Duration::from_secs(10);

/// How often an ending process is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What `up` did.
#[derive(Debug)]
pub enum Up {
    /// It started the broker.
    Started(RunningBroker),
    /// The broker ran already.
    AlreadyRunning(RunningBroker),
}

/// What `down` did.
#[derive(Debug)]
pub enum Down {
    /// It stopped the broker; the topics are kept in its folder for the next `up`.
    Stopped(RunningBroker),
    /// There was none, or it had died; its record is gone now.
    NotRunning,
}

/// What `status` saw.
#[derive(Debug)]
pub enum Status {
    /// The broker runs.
    Running(RunningBroker),
    /// `up` was never called, or `down` after it.
    Stopped,
    /// The broker died without `down`; the next `up` starts it again with the same topics.
    Stale(RunningBroker),
}

/// Starts a broker that outlives this process. Two at once end with one broker.
pub fn up(environment: &Environment, progress: &mut dyn FnMut(Progress)) -> Result<Up, LocalError> {
    let _lock = lock(environment, progress)?;
    if let Status::Running(broker) = status(environment)? {
        return Ok(Up::AlreadyRunning(broker));
    }
    let runtime = choice::runtime(environment, progress)?;
    let dir = BrokerDir::lasting(environment)?;
    let pick = || Ports::pick().map(Node::alone);
    let (server, leash) = Server::start_on_picked_ports(runtime, dir, pick, progress)?;
    let broker = record(&server, &leash)?;
    broker.write(&state_file(environment))?;
    // Only now: a broker that nobody knows of must not outlive this process.
    leash.release();
    Ok(Up::Started(broker))
}

/// Stops the broker that `up` started: SIGTERM, and kill -9 when 30 s did not do.
pub fn down(
    environment: &Environment,
    progress: &mut dyn FnMut(Progress),
) -> Result<Down, LocalError> {
    let _lock = lock(environment, progress)?;
    let outcome = match status(environment)? {
        Status::Stopped => return Ok(Down::NotRunning),
        Status::Stale(_) => Down::NotRunning,
        Status::Running(broker) => {
            stop(&broker)?;
            Down::Stopped(broker)
        }
    };
    let file = state_file(environment);
    std::fs::remove_file(&file).map_err(LocalError::io("remove", &file))?;
    Ok(outcome)
}

/// Looks whether the broker that `up` started runs. Changes nothing.
pub fn status(environment: &Environment) -> Result<Status, LocalError> {
    Ok(match RunningBroker::read(&state_file(environment))? {
        None => Status::Stopped,
        Some(broker) if broker.process.is_running() => Status::Running(broker),
        Some(broker) => Status::Stale(broker),
    })
}

fn lock(environment: &Environment, progress: &mut dyn FnMut(Progress)) -> Result<Lock, LocalError> {
    Lock::wait(environment.prepare_cache()?.join("up.lock"), LOCK_MAX, progress)
}

fn state_file(environment: &Environment) -> PathBuf {
    environment.cache_dir.join("up.json")
}

fn record(server: &Server, leash: &Leash) -> Result<RunningBroker, LocalError> {
    let process = ProcessId::of(leash.pid()).ok_or_else(|| LocalError::NotStarted {
        reason: "it ended as soon as it had answered".to_owned(),
        log: server.dir().log(),
        tail: server.dir().log_tail(0),
    })?;
    Ok(RunningBroker {
        process,
        container: server.runtime().container(server.dir().path()),
        bootstrap_servers: server.bootstrap_servers(),
        version: server.version().to_owned(),
        data_dir: server.dir().data(),
        log: server.dir().log(),
        started_at: SystemTime::now(),
    })
}

fn stop(broker: &RunningBroker) -> Result<(), LocalError> {
    broker.process.signal(Signal::TERM);
    if ends_within(&broker.process, STOP_MAX) {
        return Ok(());
    }
    broker.process.signal(Signal::KILL);
    if let Some(container) = &broker.container {
        container.remove();
    }
    match ends_within(&broker.process, KILL_MAX) {
        true => Ok(()),
        false => Err(LocalError::NotStopped { pid: broker.pid() }),
    }
}

fn ends_within(process: &ProcessId, patience: Duration) -> bool {
    let since = Instant::now();
    while process.is_running() {
        if since.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    true
}
