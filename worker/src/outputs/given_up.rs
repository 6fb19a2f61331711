//! What is written for an item that is given up: its dead letter and, if it is a part, the news of
//! its end, in one transaction.

use longshore_handler::HandlerError;
use longshore_kafka::{Outgoing, Record};
use longshore_schemas::headers::Failure;
use longshore_schemas::records::{PartError, PartStatus};
use longshore_schemas::{EncodeError, Timestamp};

use super::Hop;
use super::part_outcome::{self, End};
use crate::Wiring;
use crate::envelope::{self, Envelope};

/// Why an item was given up, and when.
pub(crate) struct GivenUp<'a> {
    /// The error of its last attempt.
    pub(crate) error: &'a HandlerError,
    /// How many attempts were made.
    pub(crate) attempts: u32,
    /// When.
    pub(crate) at: Timestamp,
}

/// The dead letter first. Without an envelope nobody knows whether the item was a part, so nobody
/// else is told.
///
/// # Errors
/// If the news can't be encoded, of which no case is known.
pub(crate) fn given_up(
    wiring: &Wiring,
    record: &Record,
    envelope: Option<&Envelope>,
    given_up: &GivenUp<'_>,
) -> Result<Vec<Outgoing>, EncodeError> {
    let mut outputs = vec![dead_letter(wiring, record, given_up)];
    if let Some(envelope) = envelope {
        let error = given_up.error;
        let end = End {
            status: PartStatus::Failed,
            error: Some(PartError::new(error.class(), error.message())),
        };
        let hop = Hop { envelope, trace: &envelope.trace };
        let stages = &wiring.part_stages;
        outputs.extend(part_outcome::for_each_stage(stages, hop, &end, 1)?);
    }
    Ok(outputs)
}

/// The record as it came, byte for byte, with its failure behind its own headers. Its timestamp is
/// the time of writing: by an old item's, retention would delete the dead letter at once, and one
/// that lies ahead of the broker's clock is refused (KIP-1030).
fn dead_letter(wiring: &Wiring, record: &Record, given_up: &GivenUp<'_>) -> Outgoing {
    let failure = Failure {
        class: given_up.error.class().into(),
        message: given_up.error.message().into(),
        origin: envelope::origin(record),
        attempts: given_up.attempts,
        stage: wiring.stage.clone(),
        failed_at: given_up.at,
        item_time: record.timestamp,
    };
    let mut headers = record.headers.clone();
    failure.write(&mut headers);
    Outgoing {
        topic: wiring.dead_letters.clone(),
        partition: None,
        key: record.key.clone(),
        value: record.value.clone(),
        headers,
        timestamp: None,
    }
}
