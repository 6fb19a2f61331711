//! What a command works with: the fleet, the settings, and where its answer goes.

use longshore_kafka::Settings as KafkaSettings;
use longshore_local::{Environment, Status};

use crate::output::Output;
use crate::pipeline::{self, Pipeline};
use crate::settings::Settings;
use crate::{CommandError, Fleet};

/// All that a command is given beside its own arguments.
pub struct Session<'a> {
    /// The handlers.
    pub fleet: &'a Fleet,
    /// The settings of the process.
    pub settings: Settings,
    /// Where the answer goes.
    pub out: Output<'a>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(fleet: &'a Fleet, settings: Settings, out: Output<'a>) -> Self {
        Self { fleet, settings, out }
    }

    /// The pipeline that was named, or the one that the fleet brings along; checked.
    ///
    /// # Errors
    /// If there is none, or something is wrong with it.
    pub fn pipeline(&self) -> Result<Pipeline, CommandError> {
        match &self.settings.pipeline {
            Some(path) => Ok(pipeline::load(path, &self.fleet.registry().registered())?),
            None => self.fleet.default_pipeline(),
        }
    }

    /// How to reach Kafka: the one that was named, or the one that `longshore up` runs.
    ///
    /// # Errors
    /// If none is named and none runs.
    pub fn kafka(&self) -> Result<KafkaSettings, CommandError> {
        self.kafka_if_any()?.ok_or(CommandError::NoKafka)
    }

    /// The same; none if none is named and none runs.
    pub(crate) fn kafka_if_any(&self) -> Result<Option<KafkaSettings>, CommandError> {
        let mut kafka = self.settings.kafka.clone();
        if kafka.bootstrap_servers.is_empty() {
            match longshore_local::status(&Environment::from_process()?)? {
                Status::Running(broker) => kafka.bootstrap_servers = broker.bootstrap_servers,
                Status::Stopped | Status::Stale(_) => return Ok(None),
            }
        }
        Ok(Some(kafka))
    }
}
