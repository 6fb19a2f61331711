//! From the places where settings stand to their values.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use longshore_kafka::Settings as KafkaSettings;
use longshore_telemetry::{LogFormat, TelemetrySettings};
use serde::Serialize;

use crate::commands::Options;

use super::environment::Environment;
use super::file::File;
use super::layers::{Layers, Origin, Text};
use super::{SettingsError, defaults, properties};

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach Kafka; the servers are empty if none are named.
    pub kafka: KafkaSettings,
    /// The pipeline file.
    pub pipeline: Option<PathBuf>,
    /// A name that the process takes on again after a restart, so that it goes on at once where it
    /// was (KIP-345). At most one process has it at a time.
    pub slot: Option<String>,
    /// How long the process may finish what it has begun once it is asked to stop.
    pub drain_timeout: Duration,
    /// What all lanes of the process may hold in memory together, in bytes: half of it in the
    /// buffers of the Kafka client, half as items and outcomes.
    pub buffers: usize,
    /// Logs and the admin server.
    pub telemetry: TelemetrySettings,
    shown: Vec<Shown>,
}

/// A setting as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name; that of a property of the Kafka client is `kafka.<property>`.
    pub name: String,
    /// Its value; that of a secret is masked.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

impl Settings {
    /// The settings that hold, checked as far as they can be without a broker.
    ///
    /// # Errors
    /// The first that is wrong, with its place.
    pub fn resolve(options: &Options, environment: &Environment) -> Result<Self, SettingsError> {
        let named = options.config.clone().or_else(|| {
            let (_, path) = environment.of("config")?;
            Some(PathBuf::from(path))
        });
        let file = named.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let layers = Layers { options, environment, file: &file };
        Resolving { layers, shown: Vec::new() }.settings()
    }

    /// Every setting with its value and where it comes from.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Names the Kafka that runs on this machine as the one that is used.
    pub(crate) fn show_local_kafka(&mut self, bootstrap_servers: &str) {
        self.shown.retain(|shown| shown.name != "bootstrap_servers");
        self.shown.insert(0, shown("bootstrap_servers", bootstrap_servers, &Origin::LocalKafka));
    }
}

struct Resolving<'a> {
    layers: Layers<'a>,
    shown: Vec<Shown>,
}

impl Resolving<'_> {
    fn settings(mut self) -> Result<Settings, SettingsError> {
        let mut kafka = self.kafka()?;
        let pipeline = self.optional("pipeline").map(PathBuf::from);
        let slot = self.slot()?;
        let buffers =
            self.size("buffers", &ByteSize(kafka.buffers as u64).display().iec().to_string())?;
        let drain_timeout = self.duration("drain_timeout", defaults::DRAIN_TIMEOUT)?;
        let telemetry = TelemetrySettings { logs: self.logs()?, admin: self.admin()? };
        self.properties(&mut kafka)?;
        kafka.check()?;
        Ok(Settings { kafka, pipeline, slot, drain_timeout, buffers, telemetry, shown: self.shown })
    }

    fn kafka(&mut self) -> Result<KafkaSettings, SettingsError> {
        let mut kafka = KafkaSettings::new("");
        kafka.bootstrap_servers = self.optional("bootstrap_servers").unwrap_or_default();
        let of = |duration| humantime::format_duration(duration).to_string();
        let (session, transaction) = (of(kafka.session_timeout), of(kafka.transaction_timeout));
        let poll = of(kafka.max_poll_interval);
        kafka.session_timeout = self.duration("session_timeout", &session)?;
        kafka.transaction_timeout = self.duration("transaction_timeout", &transaction)?;
        kafka.max_poll_interval = self.duration("max_poll_interval", &poll)?;
        Ok(kafka)
    }

    /// A slot is part of transactional ids and of members' names.
    fn slot(&mut self) -> Result<Option<String>, SettingsError> {
        let Some(Text { value, origin }) = self.layers.find("slot") else {
            return Ok(None);
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !value.chars().all(legal) {
            let expected = "letters, digits, `.`, `_` and `-`".to_owned();
            return Err(SettingsError::Value { name: "slot", origin, expected, value });
        }
        self.shown.push(shown("slot", &value, &origin));
        Ok(Some(value))
    }

    fn logs(&mut self) -> Result<LogFormat, SettingsError> {
        self.read("logs", defaults::LOGS, |text| match text {
            "auto" => Ok(LogFormat::Auto),
            "human" => Ok(LogFormat::Human),
            "json" => Ok(LogFormat::Json),
            _ => Err("auto, human or json".to_owned()),
        })
    }

    fn admin(&mut self) -> Result<SocketAddr, SettingsError> {
        self.read("admin", defaults::ADMIN, |text| {
            text.parse()
                .map_err(|_| "an address with its port, such as `127.0.0.1:9464`".to_owned())
        })
    }

    fn duration(&mut self, name: &'static str, default: &str) -> Result<Duration, SettingsError> {
        self.read(name, default, |text| match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(duration),
            _ => Err("a duration with its unit, such as `10s` or `250ms`".to_owned()),
        })
    }

    fn size(&mut self, name: &'static str, default: &str) -> Result<usize, SettingsError> {
        self.read(name, default, |text| {
            let size = text.parse::<ByteSize>().ok().filter(|size| size.0 >= ByteSize::mib(1).0);
            size.and_then(|size| usize::try_from(size.0).ok())
                .ok_or_else(|| "at least 1MiB, such as `128MiB`".to_owned())
        })
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        default: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let Text { value, origin } = self
            .layers
            .find(name)
            .unwrap_or_else(|| Text { value: default.to_owned(), origin: Origin::Default });
        self.shown.push(shown(name, &value, &origin));
        read(&value).map_err(|expected| SettingsError::Value { name, origin, expected, value })
    }

    fn optional(&mut self, name: &'static str) -> Option<String> {
        let text = self.layers.find(name);
        let text = text.inspect(|text| self.shown.push(shown(name, &text.value, &text.origin)));
        text.map(|text| text.value)
    }

    fn properties(&mut self, kafka: &mut KafkaSettings) -> Result<(), SettingsError> {
        let properties = properties::collect(&self.layers)?;
        for (key, text) in &properties {
            kafka
                .override_property(key, &text.value)
                .map_err(|error| SettingsError::Property { origin: text.origin.clone(), error })?;
        }
        let origins: BTreeMap<&str, &Origin> =
            properties.iter().map(|(key, text)| (key.as_str(), &text.origin)).collect();
        let masked = kafka.shown_overrides();
        self.shown.extend(masked.filter_map(|(key, value)| {
            Some(shown(&format!("kafka.{key}"), value, origins.get(key)?))
        }));
        Ok(())
    }
}

fn shown(name: &str, value: &str, origin: &Origin) -> Shown {
    Shown { name: name.to_owned(), value: value.to_owned(), origin: origin.to_string() }
}
