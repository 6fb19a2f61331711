//! What a client says on the side: errors of brokers and connections, and its own log.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use tracing::{debug, info, trace, warn};

/// One kind of error is logged once in this time: a broker that is away is reported several times a
/// second.
const QUIET: Duration = Duration::from_secs(10);

/// In these states of a connection no request of a transaction has been sent over it yet. The
/// client ends the report of a failure with the state that it happened in.
const BEFORE_REQUESTS: &[&str] = &[
    "INIT",
    "DOWN",
    "TRY_CONNECT",
    "CONNECT",
    "SSL_HANDSHAKE",
    "APIVERSION_QUERY",
    "AUTH_LEGACY",
    "AUTH_HANDSHAKE",
    "AUTH_REQ",
];

/// The errors that a client has reported.
#[derive(Debug)]
pub(super) struct Reports {
    client: &'static str,
    errors: AtomicU64,
    unanswered: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<(Code, String)>,
    unauthenticated: Option<String>,
    logged: HashMap<i32, Instant>,
}

impl Reports {
    pub(super) fn new(client: &'static str) -> Self {
        Self {
            client,
            errors: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// How many errors there were.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Acquire)
    }

    /// How often requests may have gone without their answers: a connection failed, or one timed
    /// out. Known before the client sends such a request again, so before a call that was waiting
    /// for it returns; but only to a client that logs what its brokers do (`debug=broker`).
    pub(super) fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Acquire)
    }

    /// What the client said of its last error, if that had this code.
    pub(super) fn reason(&self, code: Code) -> Option<String> {
        let state = self.state();
        let (last, reason) = state.last.as_ref()?;
        (*last == code).then(|| reason.clone())
    }

    /// The last error, whatever it was.
    pub(super) fn last(&self) -> Option<String> {
        self.state().last.as_ref().map(|(_, reason)| reason.clone())
    }

    /// What a broker said when it didn't accept who we are. The client itself tries for ever.
    pub(super) fn unauthenticated(&self) -> Option<String> {
        self.state().unauthenticated.clone()
    }

    /// Takes note of an error.
    pub(super) fn error(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        if code == Code::PartitionEOF {
            // The end of a partition is news to whoever polls, and no error.
            return;
        }
        self.errors.fetch_add(1, Ordering::AcqRel);
        let mut state = self.state();
        state.last = Some((code, reason.to_owned()));
        if matches!(code, Code::Authentication | Code::SaslAuthenticationFailed) {
            state.unauthenticated = Some(reason.to_owned());
        }
        if state.may_log(code) {
            warn!(client = self.client, ?code, reason, "kafka client reports an error");
        }
    }

    /// Passes a line of the client's log on. Its errors are warnings here: it goes on trying, and
    /// what must be acted on comes as a failure of a call.
    pub(super) fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        let client = self.client;
        if leaves_unanswered(facility, line) {
            self.unanswered.fetch_add(1, Ordering::AcqRel);
        }
        match level {
            // Overrides are given to consumers and producers alike; each ignores the other's.
            _ if facility == "CONFWARN" => debug!(client, facility, line, "kafka client"),
            // Connections that fail and coordinators that move: tried again by the client itself.
            _ if matches!(facility, "FAIL" | "REQTMOUT" | "GETPID") => {
                debug!(client, facility, line, "kafka client");
            }
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                info!(client, facility, line, "kafka client");
            }
            // The producers' own `debug` is for us, not for whoever reads our log.
            RDKafkaLogLevel::Debug => trace!(client, facility, line, "kafka client"),
            _ => warn!(client, facility, line, "kafka client"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a line of the client's log says that requests may have gone without their answers.
///
/// The client's error callback doesn't do: of a connection that is closed or reset while a request
/// is under way it hears nothing, or too late, and of the same error again within 30 s nothing
/// either (`rd_kafka_broker_set_error`, librdkafka 2.12.1). The log has every failure.
fn leaves_unanswered(facility: &str, line: &str) -> bool {
    match facility {
        "REQTMOUT" => true,
        "FAIL" => !BEFORE_REQUESTS.iter().any(|it| line.contains(&format!("in state {it}"))),
        _ => false,
    }
}

impl State {
    fn may_log(&mut self, code: Code) -> bool {
        let now = Instant::now();
        let last = self.logged.insert(code as i32, now);
        match last {
            Some(last) if now.duration_since(last) < QUIET => {
                self.logged.insert(code as i32, last);
                false
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_gives_the_reason_of_its_own_code_only() {
        let reports = Reports::new("test");
        reports.error(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(reports.reason(Code::AllBrokersDown).as_deref(), Some("1/1 brokers are down"));
        assert_eq!(reports.reason(Code::Resolve), None);
        assert_eq!(reports.errors(), 1);
    }

    #[test]
    fn a_refused_login_is_remembered() {
        let reports = Reports::new("test");
        reports.error(&KafkaError::Global(Code::Authentication), "wrong password");
        reports.error(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(reports.unauthenticated().as_deref(), Some("wrong password"));
    }

    #[test]
    fn a_connection_that_failed_in_use_left_requests_without_answers() {
        let reports = Reports::new("test");
        let lines = [
            ("CONNECT", "b:9092/1: Connecting to ipv4#127.0.0.1:9092", 0),
            (
                "FAIL",
                "b:9092/1: Connect to ipv4#127.0.0.1:9092 failed: refused (after 0ms in \
                      state CONNECT) (_TRANSPORT)",
                0,
            ),
            ("FAIL", "b:9092/1: SASL failure: refused (after 3ms in state AUTH_REQ)", 0),
            ("FAIL", "b:9092/1: Disconnected (after 9ms in state UP) (_TRANSPORT)", 1),
            (
                "FAIL",
                "b:9092/1: Disconnected (after 9ms in state UP) (_TRANSPORT): identical to \
                      last error: error log suppressed",
                2,
            ),
            ("FAIL", "b:9092/1: a text so long that its state was left out", 3),
            ("REQTMOUT", "b:9092/1: Timed out EndTxnRequest in flight (after 5000ms)", 4),
            ("FAIL", "b:9092/1: Disconnected (after 9ms in state REAUTH) (_TRANSPORT)", 5),
        ];
        for (facility, line, unanswered) in lines {
            reports.log(RDKafkaLogLevel::Debug, facility, line);
            assert_eq!(reports.unanswered(), unanswered, "{facility} {line}");
        }
        assert_eq!(reports.errors(), 0, "the log is no error");
    }

    #[test]
    fn one_kind_of_error_is_logged_once_in_a_while() {
        let mut state = State::default();
        assert!(state.may_log(Code::AllBrokersDown));
        assert!(!state.may_log(Code::AllBrokersDown));
        assert!(state.may_log(Code::Resolve));
    }
}
