//! Why a command failed, and the exit code that tells it to scripts.

use std::io;
use std::time::Duration;

use longshore_coordinator::CoordinatorError;
use longshore_handler::RegisterError;
use longshore_kafka::admin::AdminError;
use longshore_local::LocalError;
use longshore_producer::ProducerError;
use longshore_telemetry::StartError;
use longshore_worker::WorkerError;

use crate::Exit;
use crate::audit::PlanError;
use crate::chaos::ChaosError;
use crate::inspect::InspectError;
use crate::pipeline::{Differences, LoadError, Problems};
use crate::settings::SettingsError;

/// What a command can fail of. Each says what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The program itself registers something that can't be.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The pipeline file is wrong.
    #[error(transparent)]
    Pipeline(#[from] LoadError),
    /// The command needs a pipeline.
    #[error("no pipeline is named: name its file by --pipeline FILE, or by LONGSHORE_PIPELINE")]
    NoPipeline,
    /// A name on the command line leads nowhere.
    #[error("{option} {name}: {remedy}")]
    UnknownName {
        /// The option.
        option: &'static str,
        /// The name that was given.
        name: String,
        /// What would be right.
        remedy: String,
    },
    /// The command needs a Kafka.
    #[error(
        "no Kafka is named, and none runs on this machine: start one by `longshore up`, or name \
         one by --bootstrap-server HOST:PORT"
    )]
    NoKafka,
    /// Kafka doesn't answer, or refuses.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// What was to be looked at can't be.
    #[error(transparent)]
    Inspect(Box<InspectError>),
    /// What was to be audited can't be.
    #[error(transparent)]
    Audit(#[from] PlanError),
    /// Topics are missing, or aren't as they must be.
    #[error("the topics at {servers} aren't those of pipeline {pipeline}; {remedy}\n{differences}")]
    Unfit {
        /// Where.
        servers: String,
        /// The pipeline.
        pipeline: String,
        /// What there is to do.
        differences: Box<Differences>,
        /// How to do it.
        remedy: &'static str,
    },
    /// The local Kafka can't be started, stopped or looked at.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// Logs, metrics or the admin server can't begin.
    #[error(transparent)]
    Telemetry(#[from] StartError),
    /// Work items can't be published.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// A stage can't start, or stopped.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A join can't start, or stopped.
    #[error(transparent)]
    Coordinator(Box<CoordinatorError>),
    /// A lane doesn't drain.
    #[error(
        "asked to stop, and not drained after {} s: a lane is stuck, most likely in a call to \
         Kafka. The process ends without it; what wasn't committed is done again",
        patience.as_secs()
    )]
    Stuck {
        /// How long it was waited for.
        patience: Duration,
    },
    /// Chaos can't be made, or didn't come to its end.
    #[error(transparent)]
    Chaos(Box<ChaosError>),
    /// The operating system refuses what a process is made of.
    #[error("could not {doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What it says.
        source: io::Error,
    },
    /// Nobody reads what the command says.
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    /// The exit code that stands for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Register(_)
            | Self::Settings(_)
            | Self::Pipeline(_)
            | Self::NoPipeline
            | Self::Audit(_)
            | Self::UnknownName { .. } => Exit::Usage,
            Self::Chaos(error) => error.exit(),
            Self::NoKafka => Exit::Unreachable,
            Self::Admin(error) if is_unreachable(error) => Exit::Unreachable,
            Self::Inspect(error) if error.is_unreachable() => Exit::Unreachable,
            Self::Unfit { .. } | Self::Producer(ProducerError::NoTopic { .. }) => Exit::Unfit,
            Self::Producer(ProducerError::Admin(error)) if is_unreachable(error) => {
                Exit::Unreachable
            }
            Self::Admin(AdminError::Settings(_))
            | Self::Producer(
                ProducerError::OutOfBounds { .. }
                | ProducerError::NoSuchField { .. }
                | ProducerError::Schema(_),
            ) => Exit::Usage,
            Self::Admin(_)
            | Self::Inspect(_)
            | Self::Local(_)
            | Self::Telemetry(_)
            | Self::Producer(_)
            | Self::Worker(_)
            | Self::Coordinator(_)
            | Self::System { .. }
            | Self::Stuck { .. }
            | Self::Output(_) => Exit::Failed,
        }
    }

    /// For `map_err`: what was being done.
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

fn is_unreachable(error: &AdminError) -> bool {
    matches!(error, AdminError::Unreachable { .. })
}

impl From<Problems> for CommandError {
    fn from(problems: Problems) -> Self {
        Self::Pipeline(LoadError::Wrong(problems))
    }
}

// Boxed: they are large, and every command would carry their room.
impl From<InspectError> for CommandError {
    fn from(error: InspectError) -> Self {
        Self::Inspect(Box::new(error))
    }
}

impl From<CoordinatorError> for CommandError {
    fn from(error: CoordinatorError) -> Self {
        Self::Coordinator(Box::new(error))
    }
}

impl From<ChaosError> for CommandError {
    fn from(error: ChaosError) -> Self {
        Self::Chaos(Box::new(error))
    }
}
