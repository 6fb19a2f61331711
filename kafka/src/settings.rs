//! The settings of every Kafka client here: what a user may say, what the lane owns, and each
//! default with its reason.

mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

pub use self::error::SettingsError;
pub(crate) use self::error::rejected;

/// A crashed member's partitions stand still for this long: Kafka's own default.
const SESSION_TIMEOUT: Duration = Duration::from_secs(45);
/// Below the session timeout, so that a hung transaction is dead before its member is replaced.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(15);
/// A lane polls every few milliseconds; one that is silent this long is stuck. Kafka's default of
/// five minutes would leave its partitions standing for as long.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(120);
/// Of one process. The client's own defaults allow a gigabyte for each producer.
const BUFFERS: usize = 128 << 20;
/// A topic's `max.message.bytes` where nobody changed it.
const MESSAGE_BYTES_MAX: usize = 1_048_588;
/// Room that the client's estimate of a record's size needs above the exact size, so that only the
/// exact check refuses records.
const MESSAGE_BYTES_SLACK: usize = 1024;
/// Fewer and larger produce requests: 502 k records/s against 140 k with the client's defaults.
const BATCH_BYTES: usize = 1_000_000;

/// Defaults of every client, which a user may override.
const COMMON: &[(&str, &str)] = &[
    // A misspelt topic is an error, not a new topic.
    ("allow.auto.create.topics", "false"),
    // A topic of which no broker has heard for so long isn't there. The client's default of 30 s is
    // longer than a transaction: records to a deleted topic would only ever time out.
    ("topic.metadata.propagation.max.ms", "3000"),
    // A broker that comes back is found within a second. With the client's default of 10 s a commit
    // that a broker was killed and restarted in took 17 and more than 20 s, and takes 10 so, most
    // of which is the restart.
    ("reconnect.backoff.max.ms", "1000"),
];

/// Defaults of a consumer, which a user may override.
const CONSUMER: &[(&str, &str)] = &[
    // With the client's default of a second a lane idles whenever its fetch queue was full: it read
    // 186 k records/s instead of 661 k.
    ("fetch.queue.backoff.ms", "5"),
    // A member learns of a rebalance by its next heartbeat, and a cooperative rebalance has two
    // rounds: at the client's default of 3 s partitions stand still for up to 6 s.
    ("heartbeat.interval.ms", "1000"),
];

/// Defaults of a producer, which a user may override.
const PRODUCER: &[(&str, &str)] = &[
    // How long a record waits for company; also a part of every low-load transaction.
    ("linger.ms", "5"),
    // Java's partitioner. The client's own is CRC32, which breaks joins with what Java wrote.
    ("partitioner", "murmur2_random"),
    // A coordinator still busy with the previous transaction's markers is asked again this soon;
    // the client's default of 100 ms would be most of a small transaction.
    ("retry.backoff.ms", "20"),
];

/// What a user can't override, and why.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "it has a setting of its own, `bootstrap_servers`"),
    ("metadata.broker.list", "it is another name of `bootstrap_servers`"),
    ("client.id", "it has a setting of its own, `client_id`"),
    ("session.timeout.ms", "it has a setting of its own, `session_timeout`"),
    ("transaction.timeout.ms", "it has a setting of its own, `transaction_timeout`"),
    ("max.poll.interval.ms", "it has a setting of its own, `max_poll_interval`"),
    ("queue.buffering.max.kbytes", "it has a setting of its own, `buffers`"),
    ("queued.max.messages.kbytes", "it has a setting of its own, `buffers`"),
    ("group.id", "a stage's group is named after its pipeline and stage"),
    ("group.instance.id", "it has a setting of its own, `slot`"),
    ("transactional.id", "it is made of the group and the slot"),
    ("group.protocol", "the new protocol stalls with this version of the client"),
    ("group.remote.assignor", "the new group protocol stalls with this version of the client"),
    ("partition.assignment.strategy", "all members of a group must use cooperative-sticky"),
    ("enable.auto.commit", "progress is committed in transactions only"),
    ("auto.commit.enable", "progress is committed in transactions only"),
    ("enable.auto.offset.store", "progress is committed in transactions only"),
    ("offset.store.method", "progress is committed in transactions only"),
    ("auto.offset.reset", "a lost position must stop the lane, not move it silently"),
    ("isolation.level", "aborted items must never be worked on"),
    ("enable.partition.eof", "the lane needs to know where a partition ends"),
    ("enable.idempotence", "transactions need it"),
    ("enable.gapless.guarantee", "transactions need the client's own rule"),
    ("acks", "transactions need all replicas"),
    ("request.required.acks", "transactions need all replicas"),
    ("message.max.bytes", "it follows the topics' own `max.message.bytes`"),
    ("log.queue", "a request without an answer is known by the log, at once"),
    ("delivery.report.only.error", "every delivery is counted before a commit"),
];

/// Parts of property names whose values are secret.
const SECRET: &[&str] = &["password", "secret", "passphrase", "key.pem", "oauthbearer.config"];

/// How to reach Kafka and how to behave there. Checked by [`Settings::check`].
#[derive(Clone)]
pub struct Settings {
    /// Brokers to begin with, `host:port`, separated by commas.
    pub bootstrap_servers: String,
    /// How the brokers' logs and quotas name this process.
    pub client_id: String,
    /// After this long without a heartbeat a member's partitions go to others.
    pub session_timeout: Duration,
    /// After this long the broker aborts an open transaction.
    pub transaction_timeout: Duration,
    /// After this long without a poll a member leaves its group.
    pub max_poll_interval: Duration,
    /// Bytes that the clients of one lane may buffer, half of them read and half to be written. A
    /// process with several lanes divides its budget among them.
    pub buffers: usize,
    overrides: BTreeMap<String, String>,
}

impl Settings {
    /// The defaults, for these brokers.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.into(),
            client_id: "longshore".to_owned(),
            session_timeout: SESSION_TIMEOUT,
            transaction_timeout: TRANSACTION_TIMEOUT,
            max_poll_interval: MAX_POLL_INTERVAL,
            buffers: BUFFERS,
            overrides: BTreeMap::new(),
        }
    }

    /// Whether connections need neither TLS nor SASL.
    pub(crate) fn is_plain(&self) -> bool {
        let protocol = self.overrides.get("security.protocol");
        protocol.is_none_or(|it| it.eq_ignore_ascii_case("plaintext"))
    }

    /// Sets a property of librdkafka by its name, such as `security.protocol`.
    pub fn override_property(&mut self, key: &str, value: &str) -> Result<(), SettingsError> {
        if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| *owned == key) {
            return Err(SettingsError::Owned { key: key.to_owned(), reason });
        }
        self.overrides.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Checks what can be checked without a broker.
    pub fn check(&self) -> Result<(), SettingsError> {
        let transaction = ("transaction_timeout", self.transaction_timeout);
        let session = ("session_timeout", self.session_timeout);
        check_order(transaction, session)?;
        check_order(session, ("max_poll_interval", self.max_poll_interval))?;
        for config in [self.lane_consumer("check", None), self.transactional_producer("check", &[])]
        {
            config.create_native_config().map_err(rejected)?;
        }
        Ok(())
    }

    /// The overrides as they may be shown: secrets are masked.
    pub fn shown_overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.overrides.iter().map(|(key, value)| (key.as_str(), masked(key, value)))
    }

    /// A lane's consumer; with a slot it is a static member of its group.
    pub(crate) fn lane_consumer(&self, group: &str, slot: Option<&str>) -> ClientConfig {
        let mut config = self.client(CONSUMER);
        own_group(&mut config, group);
        config
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.partition.eof", "true")
            .set("session.timeout.ms", millis(self.session_timeout))
            .set("max.poll.interval.ms", millis(self.max_poll_interval))
            .set("queued.max.messages.kbytes", self.half_of_buffers());
        // That a topic was made anew is in the log of what the client learns of topics, and nowhere
        // else.
        self.log_for_us(&mut config, "metadata");
        if let Some(slot) = slot {
            config.set("group.instance.id", slot);
        }
        config
    }

    /// The producer of a transactional id. `size_limits` are the `max.message.bytes` of the topics
    /// that it writes to.
    pub(crate) fn transactional_producer(&self, id: &str, size_limits: &[usize]) -> ClientConfig {
        let mut config = self.client(PRODUCER);
        let largest = size_limits.iter().copied().fold(MESSAGE_BYTES_MAX, usize::max);
        // A batch counts as one message there: none may be too large for the strictest topic.
        let smallest = size_limits.iter().copied().fold(BATCH_BYTES, usize::min);
        let batch = self.overrides.get("batch.size").and_then(|it| it.parse().ok());
        // Every failure of a connection is in the log of what brokers do, and nowhere else.
        self.log_for_us(&mut config, "broker");
        config
            .set("transactional.id", id)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("delivery.report.only.error", "false")
            .set("transaction.timeout.ms", millis(self.transaction_timeout))
            .set("queue.buffering.max.kbytes", self.queue_kbytes(largest))
            .set("message.max.bytes", (largest + MESSAGE_BYTES_SLACK).to_string())
            .set("batch.size", batch.map_or(smallest, |it| smallest.min(it)).to_string());
        config
    }

    /// The client logs this, beside what a user wants to know.
    fn log_for_us(&self, config: &mut ClientConfig, what: &str) {
        let debug = self.overrides.get("debug");
        let debug = debug.map_or(what.to_owned(), |it| format!("{what},{it}"));
        config.set_log_level(RDKafkaLogLevel::Debug).set("debug", debug);
    }

    /// A consumer that asks for a group's progress and for the bounds of logs, and isn't a member.
    pub(crate) fn lookup_consumer(&self, group: &str) -> ClientConfig {
        let mut config = self.client(CONSUMER);
        own_group(&mut config, group);
        config
    }

    /// A client that administers, and belongs to no group.
    pub(crate) fn admin(&self) -> ClientConfig {
        self.client(&[])
    }

    /// What all have in common. What the lane owns is set by the callers, behind the overrides.
    fn client(&self, defaults: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in COMMON.iter().chain(defaults) {
            config.set(*key, *value);
        }
        for (key, value) in &self.overrides {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.bootstrap_servers).set("client.id", &self.client_id);
        config
    }

    fn half_of_buffers(&self) -> String {
        (self.buffers / 2 / 1024).max(1).to_string()
    }

    /// Of a record that is larger than the whole queue the client says for ever that the queue is
    /// full (`rd_kafka_curr_msgs_add`).
    fn queue_kbytes(&self, largest: usize) -> String {
        (self.buffers / 2).max(2 * largest).div_ceil(1024).to_string()
    }
}

/// Progress is committed in transactions only, and a lost position is an error.
fn own_group(config: &mut ClientConfig, group: &str) {
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed");
}

fn check_order(
    (shorter, shorter_value): (&'static str, Duration),
    (longer, longer_value): (&'static str, Duration),
) -> Result<(), SettingsError> {
    if shorter_value < longer_value {
        return Ok(());
    }
    Err(SettingsError::Order { shorter, shorter_value, longer, longer_value })
}

fn masked<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret(key) { "********" } else { value }
}

fn is_secret(key: &str) -> bool {
    SECRET.iter().any(|part| key.contains(part))
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("client_id", &self.client_id)
            .field("session_timeout", &self.session_timeout)
            .field("transaction_timeout", &self.transaction_timeout)
            .field("max_poll_interval", &self.max_poll_interval)
            .field("buffers", &self.buffers)
            .field("overrides", &self.shown_overrides().collect::<BTreeMap<_, _>>())
            .finish()
    }
}

#[cfg(test)]
mod tests;
