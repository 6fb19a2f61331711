//! Values of a type are written and read by its schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

/// A parcel as it is today: the third version.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    id: String,
    weight: i64,
    kind: Kind,
    note: Option<String>,
    tags: BTreeMap<String, i64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Letter,
    Box,
}

const V1: &str = r#"{"type": "record", "name": "Parcel", "fields": [
    {"name": "weight", "type": "int"},
    {"name": "id", "type": "string"},
    {"name": "sender", "type": ["null", "string"]}
]}"#;

const V2: &str = r#"{"type": "record", "name": "Parcel", "fields": [
    {"name": "id", "type": "string"},
    {"name": "weight", "type": "long"},
    {"name": "kind", "default": "Letter",
     "type": {"type": "enum", "name": "Kind", "symbols": ["Letter"]}}
]}"#;

const V3: &str = r#"{"type": "record", "name": "Parcel", "fields": [
    {"name": "id", "type": "string"},
    {"name": "weight", "type": "long"},
    {"name": "kind", "default": "Letter",
     "type": {"type": "enum", "name": "Kind", "symbols": ["Letter", "Box"]}},
    {"name": "note", "type": ["null", "string"], "default": null},
    {"name": "tags", "type": {"type": "map", "values": "long"}, "default": {}}
]}"#;

impl WorkItem for Parcel {
    const SCHEMA: &'static str = V3;
    const OLDER: &'static [&'static str] = &[V1, V2];
}

fn message(schema: &str, body: &[u8]) -> Vec<u8> {
    let fingerprint = prepared(schema).unwrap().fingerprint;
    [single_object::begin(fingerprint, body.len()), body.to_vec()].concat()
}

fn plain() -> Parcel {
    let tags = BTreeMap::new();
    Parcel { id: "p-1".into(), weight: 7, kind: Kind::Letter, note: None, tags }
}

#[test]
fn a_value_comes_back_as_it_was() {
    let codec = Codec::<Parcel>::new().unwrap();
    let tags = [("fragile".to_owned(), 1), ("tall".to_owned(), -2)].into();
    let parcel = Parcel { kind: Kind::Box, note: Some("ring twice".into()), tags, ..plain() };
    let message = codec.encode(&parcel).unwrap();
    assert_eq!(message[..2], [0xC3, 0x01]);
    assert_eq!(Fingerprint::of_message(&message), Ok(codec.fingerprint()));
    assert_eq!(codec.decode(&message), Ok(parcel));
}

#[test]
fn every_older_version_reads_as_the_current_one() {
    let codec = Codec::<Parcel>::new().unwrap();
    let first = message(V1, &[14, 6, b'p', b'-', b'1', 2, 2, b's']);
    assert_eq!(codec.decode(&first), Ok(plain()));
    let second = message(V2, &[6, b'p', b'-', b'1', 14, 0]);
    assert_eq!(codec.decode(&second), Ok(plain()));
}

#[test]
fn a_truncated_older_version_is_no_null() {
    let codec = Codec::<Parcel>::new().unwrap();
    let first = message(V1, &[14, 6, b'p', b'-', b'1', 2, 2, b's']);
    for len in 0..first.len() {
        assert!(codec.decode(&first[..len]).is_err(), "cut to {len} bytes");
    }
}

#[test]
fn bytes_behind_an_older_version_are_noticed() {
    let codec = Codec::<Parcel>::new().unwrap();
    let second = message(V2, &[6, b'p', b'-', b'1', 14, 0, 0]);
    assert_eq!(codec.decode(&second), Err(DecodeError::Trailing { bytes: 1 }));
}

#[test]
fn an_unknown_version_is_named() {
    let codec = Codec::<Parcel>::with_writers(&[]).unwrap();
    let second = message(V2, &[6, b'p', b'-', b'1', 14, 0]);
    let fingerprint = prepared(V2).unwrap().fingerprint;
    let wanted = "Parcel";
    assert_eq!(codec.decode(&second), Err(DecodeError::UnknownSchema { wanted, fingerprint }));
}

#[test]
fn text_that_is_not_utf8_is_malformed() {
    let codec = Codec::<Parcel>::new().unwrap();
    let broken = message(V3, &[2, 0xFF, 14, 0, 0, 0]);
    let error = codec.decode(&broken).unwrap_err();
    assert!(matches!(error, DecodeError::Malformed { schema: "Parcel", .. }), "{error}");
}

#[test]
fn a_value_too_large_to_be_read_is_not_written() {
    let codec = Codec::<Parcel>::new().unwrap();
    let parcel = Parcel { note: Some("x".repeat(BYTES_MAX)), ..plain() };
    let error = codec.encode(&parcel).unwrap_err();
    assert!(matches!(error, EncodeError::Oversized { max: BYTES_MAX, .. }), "{error}");
}

/// A type that has drifted from its schema.
#[derive(Debug, Serialize, Deserialize)]
struct Drifted {
    id: i64,
}

impl WorkItem for Drifted {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Drifted", "fields": [
        {"name": "id", "type": "string"}
    ]}"#;
}

#[test]
fn a_type_that_left_its_schema_is_told_which_field() {
    let error = Codec::<Drifted>::new().unwrap().encode(&Drifted { id: 1 }).unwrap_err();
    assert!(error.to_string().contains("field `id`"), "{error}");
}

#[test]
fn a_schema_that_cannot_be_used_is_told_why() {
    fn refusal(schema: &str) -> SchemaError {
        prepared(schema).err().unwrap()
    }
    assert!(matches!(refusal("{"), SchemaError::Invalid { .. }));
    assert!(matches!(refusal(r#""string""#), SchemaError::NotARecord { .. }));
    let list = r#"{"type": "record", "name": "List", "fields": [
        {"name": "next", "type": ["null", "List"]}
    ]}"#;
    assert!(matches!(refusal(list), SchemaError::Recursive { .. }));
}

#[test]
fn an_older_version_that_cannot_be_read_is_refused_at_once() {
    let without_default = r#"{"type": "record", "name": "Parcel", "fields": [
        {"name": "weight", "type": "long"}
    ]}"#;
    let error = Codec::<Parcel>::with_writers(&[without_default]).err().unwrap();
    assert!(matches!(error, SchemaError::Incompatible { .. }), "{error}");
}
