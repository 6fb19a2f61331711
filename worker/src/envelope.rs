//! An item as its handler sees it: what its record and headers say.

use std::sync::Arc;

use bytes::Bytes;
use longshore_handler::{Context, Raw};
use longshore_kafka::Record;
use longshore_schemas::headers::{idempotency_key, item_id, run_id};
use longshore_schemas::{
    HeaderError, Headers, IdempotencyKey, Origin, PartHeaders, RunId, StageName, Timestamp,
};
use longshore_telemetry::TraceContext;

use crate::{Trust, trace_headers};

/// What a record says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// The record's place.
    pub(crate) origin: Origin,
    /// Its key.
    pub(crate) key: Option<Bytes>,
    /// Its value.
    value: Option<Bytes>,
    /// Its timestamp.
    timestamp: Option<Timestamp>,
    /// Its headers, as far as they are honored.
    pub(crate) headers: Arc<Headers>,
    /// Its id: as the headers say (ours, or that of the CloudEvent it is), otherwise its origin.
    pub(crate) id: String,
    /// The idempotency key that it was given; its id, if it wasn't.
    pub(crate) given_key: Option<IdempotencyKey>,
    /// What makes it a part, if it is one.
    pub(crate) part: Option<PartHeaders>,
    /// The run that it belongs to, if any.
    pub(crate) run_id: Option<RunId>,
    /// Where in its trace it was sent.
    pub(crate) trace: TraceContext,
}

impl Envelope {
    /// Reads what a record says.
    ///
    /// # Errors
    /// If a header that is honored can't be read.
    pub(crate) fn open(record: &Record, trust: Trust) -> Result<Self, HeaderError> {
        let headers = honored(record, trust);
        let origin = origin(record);
        Ok(Self {
            id: item_id(&headers)?.map_or_else(|| origin.to_text(), str::to_owned),
            given_key: idempotency_key(&headers)?,
            part: PartHeaders::read(&headers)?,
            run_id: run_id(&headers)?,
            trace: trace_headers::extract(&headers),
            headers: Arc::new(headers),
            key: record.key.clone(),
            value: record.value.clone(),
            timestamp: record.timestamp,
            origin,
        })
    }

    /// What the handler reads.
    pub(crate) fn raw(&self) -> Raw {
        Raw::Record(self.value.clone())
    }

    /// What the handler may know beside it, for the first attempt.
    pub(crate) fn context(&self, stage: &StageName, attempts_max: u32) -> Context {
        let own_key = || IdempotencyKey::from(self.id.as_str());
        Context {
            stage: stage.clone(),
            origin: self.origin.clone(),
            id: self.id.clone(),
            attempt: 1,
            attempts_max,
            idempotency_key: self.given_key.clone().unwrap_or_else(own_key),
            key: self.key.clone(),
            headers: Arc::clone(&self.headers),
            timestamp: self.timestamp,
            part: self.part.clone(),
            traceparent: String::new(),
        }
    }
}

/// The place of a record, as that of its first output.
pub(crate) fn origin(record: &Record) -> Origin {
    Origin {
        topic: record.topic.clone(),
        partition: record.partition.0,
        offset: record.offset.0,
        index: 0,
    }
}

fn honored(record: &Record, trust: Trust) -> Headers {
    let mut headers = record.headers.clone();
    match trust {
        Trust::Pipeline => {}
        Trust::Source => headers.strip_ours(),
    }
    headers
}

#[cfg(test)]
mod tests {
    use longshore_schemas::headers::{CE_ID, GROUP, ID, IDEMPOTENCY_KEY, RUN};

    use super::*;
    use crate::samples;

    fn opened(headers: &[(&str, &str)], trust: Trust) -> Result<Envelope, HeaderError> {
        let mut record = samples::record(17);
        for (name, value) in headers {
            record.headers.set_text(name, value);
        }
        Envelope::open(&record, trust)
    }

    #[test]
    fn the_id_of_an_item_is_ours_or_that_of_its_event_or_its_origin() {
        let id = |headers: &[_]| opened(headers, Trust::Pipeline).unwrap().id;
        assert_eq!(id(&[(CE_ID, "event 3"), (ID, "item 3")]), "item 3");
        assert_eq!(id(&[(CE_ID, "event 3")]), "event 3");
        assert_eq!(id(&[]), "lines/3/17/0");
    }

    #[test]
    fn the_idempotency_key_is_the_given_one_or_the_id() {
        let key = |headers: &[_]| {
            let envelope = opened(headers, Trust::Pipeline).unwrap();
            envelope.context(&"price".into(), 5).idempotency_key.to_string()
        };
        assert_eq!(key(&[(ID, "item 3"), (IDEMPOTENCY_KEY, "once")]), "once");
        assert_eq!(key(&[(ID, "item 3")]), "item 3");
    }

    #[test]
    fn a_source_names_its_items_and_their_keys_and_is_not_heard_otherwise() {
        let forged = [(ID, "x"), (IDEMPOTENCY_KEY, "k"), (RUN, "x"), (GROUP, "x"), (CE_ID, "e")];
        let envelope = opened(&forged, Trust::Source).unwrap();
        assert_eq!(envelope.id, "x");
        assert_eq!(envelope.given_key, Some("k".into()));
        assert_eq!((envelope.part, envelope.run_id), (None, None));
        assert_eq!(envelope.headers.len(), 3);
        let error = opened(&forged, Trust::Pipeline).unwrap_err();
        assert!(error.to_string().contains("ls-revision"), "{error}");
    }
}
