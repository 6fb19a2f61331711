//! The options of every command. Each setting among them can also stand in the environment
//! (`LONGSHORE_SESSION_TIMEOUT`) or in the settings file (`session_timeout:`).

use std::path::PathBuf;

use crate::Format;

/// What can be told to any command.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// The brokers to begin with, HOST:PORT[,HOST:PORT...]; without it the Kafka of `up`
    #[arg(short, long, value_name = "SERVERS", global = true)]
    pub bootstrap_server: Option<String>,
    /// The pipeline file (LONGSHORE_PIPELINE)
    #[arg(short, long, value_name = "FILE", global = true)]
    pub pipeline: Option<String>,
    /// A settings file (LONGSHORE_CONFIG)
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// A property of the Kafka client, by librdkafka's name; `KEY_file=PATH` reads a secret
    #[arg(short = 'X', value_name = "KEY=VALUE", global = true)]
    pub properties: Vec<String>,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub output: Format,
    /// A name that this process takes on again after a restart; no other may have it
    #[arg(long, value_name = "NAME", global = true, help_heading = "Process")]
    pub slot: Option<String>,
    /// How long the process may finish what it has begun
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Process")]
    pub drain_timeout: Option<String>,
    /// What the process may hold in memory
    #[arg(long, value_name = "SIZE", global = true, help_heading = "Process")]
    pub buffers: Option<String>,
    /// How log lines look: auto, human or json
    #[arg(long, value_name = "FORM", global = true, help_heading = "Process")]
    pub logs: Option<String>,
    /// Where /livez, /readyz and /metrics are served; port 0 takes a free one
    #[arg(long, value_name = "IP:PORT", global = true, help_heading = "Process")]
    pub admin: Option<String>,
    /// After this long without a heartbeat a process's partitions go to others
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Process")]
    pub session_timeout: Option<String>,
    /// After this long the broker aborts an open transaction
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Process")]
    pub transaction_timeout: Option<String>,
    /// After this long without a poll a process leaves its groups
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Process")]
    pub max_poll_interval: Option<String>,
}

impl Options {
    /// The option of a setting, and its value.
    pub(crate) fn setting(&self, name: &str) -> Option<(&'static str, &str)> {
        let (option, value) = match name {
            "bootstrap_servers" => ("--bootstrap-server", &self.bootstrap_server),
            "pipeline" => ("--pipeline", &self.pipeline),
            "slot" => ("--slot", &self.slot),
            "session_timeout" => ("--session-timeout", &self.session_timeout),
            "transaction_timeout" => ("--transaction-timeout", &self.transaction_timeout),
            "max_poll_interval" => ("--max-poll-interval", &self.max_poll_interval),
            "drain_timeout" => ("--drain-timeout", &self.drain_timeout),
            "buffers" => ("--buffers", &self.buffers),
            "logs" => ("--logs", &self.logs),
            "admin" => ("--admin", &self.admin),
            _ => return None,
        };
        value.as_deref().map(|value| (option, value))
    }
}
