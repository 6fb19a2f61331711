//! An entry of the source as the record that is written for it.

use bytes::Bytes;
use longshore_kafka::Outgoing;
use longshore_schemas::Headers;
use longshore_schemas::headers::{ID, IDEMPOTENCY_KEY};
use longshore_telemetry::TraceContext;
use serde_json::Value as Json;
use thiserror::Error;

use crate::Topics;
use crate::avro::{JsonEncoder, Misfit};
use crate::source::{BadLine, Entry, Place, SourceId};

/// What kind of value a record has (CloudEvents' Kafka binding, and elsewhere).
const CONTENT_TYPE: &str = "content-type";
/// Avro, as its project names it.
const AVRO: &str = "application/avro";

/// Bytes of a record at most: with its neighbours it must fit a transaction. Topics take a
/// megabyte unless someone has raised that.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// All that the records of a run have in common.
pub(crate) struct Recipe {
    /// How people know the source.
    pub(crate) name: String,
    /// How cursors and ids know it.
    pub(crate) id: SourceId,
    pub(crate) topics: Topics,
    pub(crate) encoder: JsonEncoder,
    /// The field that is the key.
    pub(crate) key: Option<String>,
    /// The field that is the idempotency key.
    pub(crate) idempotency_key: Option<String>,
}

/// Why an entry is no item.
#[derive(Clone, Debug, Error)]
pub(crate) enum Unfit {
    /// It can't be read.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// It isn't of the schema.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// It can't be keyed.
    #[error("field `{field}` should be a string or an integer to be a key, and is {found}")]
    BadKey {
        /// The field.
        field: String,
        /// What it is.
        found: &'static str,
    },
    /// It would be too large for any transaction.
    #[error(
        "the record has {bytes} bytes of at most {RECORD_BYTES_MAX}; keep large data elsewhere"
    )]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
}

impl Unfit {
    /// The kind of error, as dead letters and metrics name it.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Line(line) => line.class(),
            Self::Misfit(_) => "schema_mismatch",
            Self::BadKey { .. } => "bad_key",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

impl Recipe {
    /// The item that an entry is.
    pub(crate) fn item(&self, entry: &Entry) -> Result<Outgoing, Unfit> {
        let json = entry.content.as_ref().map_err(BadLine::clone)?;
        let value = self.encoder.encode(json)?;
        let key = self.key.as_deref().map(|field| text_of(json, field)).transpose()?.flatten();
        let item = Outgoing {
            topic: self.topics.items.clone(),
            // The client's partitioner is Java's: the partition follows from the key alone.
            partition: None,
            key: key.map(Bytes::from),
            value: Some(value),
            headers: self.headers(json, entry.place)?,
            timestamp: None,
        };
        match item.bytes() {
            bytes if bytes > RECORD_BYTES_MAX => Err(Unfit::TooLarge { bytes }),
            _ => Ok(item),
        }
    }

    /// The id of the entry that ends at `place`: the same whenever the source is read.
    pub(crate) fn item_id(&self, place: Place) -> String {
        format!("{}/{}", self.id, place.line)
    }

    fn headers(&self, json: &Json, place: Place) -> Result<Headers, Unfit> {
        let id = self.item_id(place);
        let field = self.idempotency_key.as_deref();
        let given = field.map(|field| text_of(json, field)).transpose()?.flatten();
        let mut headers = Headers::new();
        headers.set_text(IDEMPOTENCY_KEY, given.as_ref().unwrap_or(&id));
        headers.set_text(ID, id);
        headers.set_text(CONTENT_TYPE, AVRO);
        // One trace for each item, through all stages.
        TraceContext::root().write(|name, value| match value {
            Some(value) => headers.set_text(name, value),
            None => headers.remove(name),
        });
        Ok(headers)
    }
}

/// A field that is a name: a string, or an integer as text. Missing and null are none.
fn text_of(json: &Json, field: &str) -> Result<Option<String>, Unfit> {
    let bad = |found| Err(Unfit::BadKey { field: field.to_owned(), found });
    match json.get(field) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(Json::Number(number)) if !number.is_f64() => Ok(Some(number.to_string())),
        Some(Json::Number(_)) => bad("a fraction"),
        Some(Json::Bool(_)) => bad("a boolean"),
        Some(Json::Array(_)) => bad("an array"),
        Some(Json::Object(_)) => bad("an object"),
    }
}

#[cfg(test)]
mod tests {
    use longshore_schemas::headers::TRACEPARENT;

    use super::*;
    use crate::samples;

    fn item(json: &str) -> Result<Outgoing, Unfit> {
        let content = Ok(serde_json::from_str(json).unwrap());
        let place = Place { byte: 90, line: 7 };
        samples::recipe().item(&Entry { place, original: json.to_owned().into(), content })
    }

    #[test]
    fn the_key_is_a_field_as_text() {
        let key = |json| item(json).unwrap().key;
        assert_eq!(key(r#"{"n": 1, "key": "größe"}"#).unwrap(), "größe");
        assert_eq!(key(r#"{"n": 1, "key": -17}"#).unwrap(), "-17");
        assert_eq!(key(r#"{"n": 1, "key": ""}"#).unwrap(), "");
        assert_eq!(key(r#"{"n": 1, "key": null}"#), None);
        assert_eq!(key(r#"{"n": 1}"#), None);
    }

    #[test]
    fn an_item_has_its_id_its_idempotency_key_and_a_trace_of_its_own() {
        let headers = item(r#"{"n": 1}"#).unwrap().headers;
        assert_eq!(headers.text(ID), Some("id/sample/7"));
        assert_eq!(headers.text(IDEMPOTENCY_KEY), Some("id/sample/7"));
        assert_eq!(headers.text(CONTENT_TYPE), Some(AVRO));
        let other = item(r#"{"n": 1, "once": "abc"}"#).unwrap().headers;
        assert_eq!(other.text(IDEMPOTENCY_KEY), Some("abc"));
        assert_eq!(other.text(ID), Some("id/sample/7"));
        assert_ne!(other.text(TRACEPARENT).unwrap(), headers.text(TRACEPARENT).unwrap());
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn an_entry_that_is_no_item_has_a_class() {
        let error = item(r#"{"n": "one"}"#).unwrap_err();
        assert_eq!(error.class(), "schema_mismatch");
        assert_eq!(error.to_string(), "`n` should be a long, and is the string \"one\"");
        let large = format!(r#"{{"n": 1, "key": "{}"}}"#, "x".repeat(RECORD_BYTES_MAX));
        assert_eq!(item(&large).unwrap_err().class(), "too_large");
    }
}
