//! A fleet as its user builds it: handlers by name, and the commands that run them.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use longshore_handler::{Handler, RegisterError};
use longshore_schemas::WorkItem;

use crate::commands::{self, Command, CommandLine, Options};
use crate::output::Output;
use crate::pipeline::{self, Pipeline, PipelineDraft};
use crate::registry::Registry;
use crate::session::Session;
use crate::settings::{Environment, Settings};
use crate::{CommandError, Exit};

/// A program's handlers, and with [`Fleet::main`] every command of Longshore around them.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use longshore::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)]
/// # struct Order { order_key: i64 }
/// # impl WorkItem for Order { const SCHEMA: &'static str = ""; }
/// # struct Price;
/// # impl Handler for Price {
/// #     type Item = Order;
/// #     async fn handle(&self, order: Order, _: &Context) -> Result<Outcome, HandlerError> {
/// #         Outcome::done(&order)
/// #     }
/// # }
///
/// fn main() -> ExitCode {
///     Fleet::new().item::<Order>("Order").handler("price", Price).main()
/// }
/// ```
#[derive(Default)]
pub struct Fleet {
    registry: Registry,
    pipeline: Option<DefaultPipeline>,
    wrong: Vec<RegisterError>,
}

/// The pipeline that a fleet brings along.
enum DefaultPipeline {
    Text(String),
    Draft(Box<PipelineDraft>),
}

impl Fleet {
    /// A fleet without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a type of items under the name by which a pipeline's source calls it. What is
    /// wrong with it is told by the command that runs.
    #[must_use]
    pub fn item<T: WorkItem>(mut self, name: &str) -> Self {
        let registered = self.registry.item::<T>(name);
        self.wrong.extend(registered.err());
        self
    }

    /// Registers a handler under the name by which a pipeline calls it. A handler of groups is the
    /// gather of a join. What is wrong with it is told by the command that runs.
    #[must_use]
    pub fn handler(mut self, name: &str, handler: impl Handler) -> Self {
        let registered = self.registry.handler(name, handler);
        self.wrong.extend(registered.err());
        self
    }

    /// The text of the pipeline file that is used when none is named.
    #[must_use]
    pub fn pipeline(mut self, text: &str) -> Self {
        self.pipeline = Some(DefaultPipeline::Text(text.to_owned()));
        self
    }

    /// The same, for a pipeline that is written in Rust.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use longshore::Fleet;
    /// use longshore::pipeline::*;
    ///
    /// let orders = SourceDraft::new().topic("orders").schema("Order");
    /// let lines = FanOutDraft::new().parts("lines").join("settle");
    /// let settle = JoinDraft::new()
    ///     .of(["price"])
    ///     .when(When::AllEnded)
    ///     .timeout(Duration::from_secs(10))
    ///     .on_timeout(OnTimeout::Partial)
    ///     .gather("settle_order")
    ///     .into("settled");
    /// let fleet = Fleet::new().pipeline_draft(
    ///     PipelineDraft::new("orders")
    ///         .source(orders.start(StartPolicy::Earliest))
    ///         .stage("split", StageDraft::new().from("source").handler("split").fan_out(lines))
    ///         .stage("price", StageDraft::new().from("split").handler("price").to("settle"))
    ///         .join("settle", settle)
    ///         .sink("settled", SinkDraft::new().topic("settled")),
    /// );
    /// # drop(fleet);
    /// ```
    #[must_use]
    pub fn pipeline_draft(mut self, draft: PipelineDraft) -> Self {
        self.pipeline = Some(DefaultPipeline::Draft(Box::new(draft)));
        self
    }

    /// Runs the command that the command line asks for. To be returned by the program's `main`.
    pub fn main(self) -> ExitCode {
        let CommandLine { options, command } = CommandLine::parse();
        self.execute(&options, &command)
    }

    /// Runs a command: for programs that add commands of their own beside these.
    pub fn execute(&self, options: &Options, command: &Command) -> ExitCode {
        let mut stdout = io::stdout().lock();
        let exit = match self.try_execute(options, command, &mut stdout) {
            Ok(exit) => exit,
            Err(error) => {
                // Where standard error is closed, the exit code alone says it.
                let _ = writeln!(io::stderr(), "error: {error}");
                error.exit()
            }
        };
        exit.into()
    }

    /// Runs a command, which answers on `out`.
    ///
    /// # Errors
    /// Whatever the command fails of.
    pub fn try_execute(
        &self,
        options: &Options,
        command: &Command,
        out: &mut dyn Write,
    ) -> Result<Exit, CommandError> {
        self.execute_in(&Environment::of_process(), (options, command), out)
    }

    /// The same in another environment than the process's.
    pub(crate) fn execute_in(
        &self,
        environment: &Environment,
        (options, command): (&Options, &Command),
        out: &mut dyn Write,
    ) -> Result<Exit, CommandError> {
        if let Some(wrong) = self.wrong.first() {
            return Err(wrong.clone().into());
        }
        let settings = Settings::resolve(options, environment)?;
        let out = Output { format: options.output, to: out };
        commands::execute(command, &mut Session::new(self, settings, out))
    }

    /// What is registered.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The pipeline that it brings along, checked.
    ///
    /// # Errors
    /// If there is none, or something is wrong with it.
    pub fn default_pipeline(&self) -> Result<Pipeline, CommandError> {
        let registered = self.registry.registered();
        match &self.pipeline {
            None => Err(CommandError::NoPipeline),
            Some(DefaultPipeline::Draft(draft)) => Ok(draft.build(&registered)?),
            Some(DefaultPipeline::Text(text)) => {
                Ok(pipeline::read("the built-in pipeline", text, &registered)?)
            }
        }
    }
}
