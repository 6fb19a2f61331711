//! What a producer is told. Every value is given by its caller.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use longshore_kafka::publisher::BATCH_RECORDS_MAX;
use longshore_schemas::TopicName;

use crate::ProducerError;
use crate::avro::JsonEncoder;

/// Items in one transaction at most: one record less than fits, for the cursor.
const ITEMS_MAX: usize = BATCH_RECORDS_MAX - 1;
/// The longest line that may be allowed: with it a batch still fits its transaction.
const LINE_BYTES_MAX: usize = 4 << 20;

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// What is read.
    pub input: Input,
    /// The identity of the input, if the caller knows better than its content; see
    /// [`crate::source::SourceId`].
    pub source_id: Option<String>,
    /// Where it goes.
    pub topics: Topics,
    /// The beginning of the transactional id, behind which stands the identity of the source: two
    /// producers of one source fence each other.
    pub group: String,
    /// The Avro schema of the items, as the text of its `.avsc` file.
    pub schema: String,
    /// The field that is the key: a string, or an integer as text. An item in which it is missing
    /// or null has no key, and no order.
    pub key: Option<String>,
    /// The field that is the idempotency key; without it that is the item's id.
    pub idempotency_key: Option<String>,
    /// Items a second at most.
    pub rate: Option<NonZeroU32>,
    /// Items in one transaction at most.
    pub batch_items_max: usize,
    /// How long an item waits at most for company, before its transaction is committed.
    pub commit_interval: Duration,
    /// Bytes of a line at most; a longer one is a bad line.
    pub line_bytes_max: usize,
}

/// What is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The orders of TPC-H with their line items, as `orders.Order`.
    TpchOrders {
        /// The scale factor: 1 is 1,500,000 orders.
        scale: f64,
    },
    /// A file with a JSON object on each line.
    JsonLines {
        /// Where it is.
        path: PathBuf,
    },
    /// The same from standard input.
    StandardInput,
}

/// Where items go, and what goes with them. All three exist.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The items.
    pub items: TopicName,
    /// What is no item.
    pub dead_letters: TopicName,
    /// How far each source is published.
    pub cursors: TopicName,
}

impl ProducerConfig {
    /// Checks what can be checked without a broker.
    pub(crate) fn check(&self, encoder: &JsonEncoder) -> Result<(), ProducerError> {
        check_bound("batch_items_max", self.batch_items_max, ITEMS_MAX)?;
        check_bound("line_bytes_max", self.line_bytes_max, LINE_BYTES_MAX)?;
        check_field("key", self.key.as_ref(), encoder)?;
        check_field("idempotency_key", self.idempotency_key.as_ref(), encoder)
    }
}

fn check_bound(setting: &'static str, value: usize, max: usize) -> Result<(), ProducerError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(ProducerError::OutOfBounds { setting, value, max })
}

fn check_field(
    setting: &'static str,
    field: Option<&String>,
    encoder: &JsonEncoder,
) -> Result<(), ProducerError> {
    match field {
        Some(field) if !encoder.has_field(field) => {
            Err(ProducerError::NoSuchField { setting, field: field.clone() })
        }
        _ => Ok(()),
    }
}
