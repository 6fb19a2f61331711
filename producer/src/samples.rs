//! Samples that the tests share.

use crate::Topics;
use crate::avro::JsonEncoder;
use crate::recipe::Recipe;
use crate::source::SourceId;

/// Items with a number, a key and an idempotency key.
pub(crate) const SCHEMA: &str = r#"{"type": "record", "name": "Sample", "fields": [
    {"name": "n", "type": "long"},
    {"name": "key", "type": ["null", "string", "long"], "default": null},
    {"name": "once", "type": ["null", "string"], "default": null}
]}"#;

/// Where they go.
pub(crate) fn topics() -> Topics {
    Topics {
        items: "items".into(),
        dead_letters: "items-dlt".into(),
        cursors: "items.cursors".into(),
    }
}

/// How they are written.
pub(crate) fn recipe() -> Recipe {
    Recipe {
        name: "/data/sample.jsonl".to_owned(),
        id: SourceId::given("sample"),
        topics: topics(),
        encoder: JsonEncoder::new(SCHEMA).unwrap(),
        key: Some("key".to_owned()),
        idempotency_key: Some("once".to_owned()),
    }
}
