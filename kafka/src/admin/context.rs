//! What a client that only looks things up does with its logs and errors.

use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Says nothing by itself: a call that fails tells its caller, with the client's last complaint
/// (such as "connection refused"), which the failed call alone doesn't know.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    complaint: Mutex<Option<String>>,
}

impl Quiet {
    /// The client's last complaint.
    pub(crate) fn complaint(&self) -> Option<String> {
        self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, "{reason}");
        // It only sums up what was said of each broker before.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        *complaint = Some(reason.to_owned());
    }
}

impl ConsumerContext for Quiet {}
