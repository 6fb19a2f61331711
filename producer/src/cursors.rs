//! How far each source is published: the records of the cursors' topic.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::Reader;
use longshore_kafka::{Outgoing, Record, Settings};
use longshore_schemas::records::Cursor;
use longshore_schemas::{Codec, Headers, TopicName};

use crate::ProducerError;
use crate::batch::Batch;
use crate::source::SourceId;

/// Another producer's open transaction is waited for this long: longer than any may stay open.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where cursors are read.
pub(crate) trait Cursors {
    /// The cursor of every source, as committed transactions left it.
    ///
    /// # Errors
    /// If they can't be read.
    fn read(&mut self) -> Result<BTreeMap<String, Cursor>, ProducerError>;
}

/// The cursors on a Kafka.
pub(crate) struct KafkaCursors {
    reader: Reader,
}

impl KafkaCursors {
    /// Connects to the topic.
    pub(crate) fn open(settings: &Settings, topic: &TopicName) -> Result<Self, ProducerError> {
        Ok(Self { reader: Reader::open(settings, topic, Isolation::Committed)? })
    }
}

impl Cursors for KafkaCursors {
    fn read(&mut self) -> Result<BTreeMap<String, Cursor>, ProducerError> {
        let mut cursors = BTreeMap::new();
        for record in self.reader.read_all(PATIENCE)? {
            collect(&mut cursors, &record?)?;
        }
        Ok(cursors)
    }
}

/// Adds the cursor in a record, in place of any that the source had before. A record without a
/// value has deleted it.
pub(crate) fn collect(
    cursors: &mut BTreeMap<String, Cursor>,
    record: &Record,
) -> Result<(), ProducerError> {
    let Some(value) = &record.value else {
        cursors.retain(|source, _| Some(source.as_bytes()) != record.key.as_deref());
        return Ok(());
    };
    let decoded =
        Codec::<Cursor>::shared().expect("a schema of ours, read in its tests").decode(value);
    let cursor =
        decoded.map_err(|error| ProducerError::BadCursor { topic: record.topic.clone(), error })?;
    cursors.insert(cursor.source.clone(), cursor);
    Ok(())
}

/// The cursor that stands behind a batch.
pub(crate) fn cursor_record(
    topic: &TopicName,
    source: &SourceId,
    batch: &Batch,
) -> Result<Outgoing, ProducerError> {
    let cursor = Cursor {
        source: source.as_str().to_owned(),
        byte: batch.end.byte,
        line: batch.end.line,
        ended: batch.ended,
    };
    let codec = Codec::shared().expect("a schema of ours, read in its tests");
    let value = codec.encode(&cursor).map_err(ProducerError::UnwritableCursor)?;
    Ok(Outgoing {
        topic: topic.clone(),
        partition: None,
        key: Some(cursor.source.into()),
        value: Some(value),
        headers: Headers::new(),
        timestamp: None,
    })
}
