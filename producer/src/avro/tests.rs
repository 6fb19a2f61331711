//! JSON becomes Avro, or a reason why not.

use apache_avro::types::Value;
use longshore_schemas::{Codec, WorkItem};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::convert::item_value;
use super::shape::Shape;
use super::*;

/// A record with one field `f` of this type.
fn schema(field: &str) -> String {
    format!(
        r#"{{"type": "record", "name": "R", "namespace": "a", "fields": [
            {{"name": "f", "type": {field}}}]}}"#
    )
}

fn shape(field: &str) -> Shape {
    Shape::of(&apache_avro::Schema::parse_str(&schema(field)).unwrap()).unwrap()
}

/// What JSON in a field of this type becomes.
fn value(field: &str, json: &str) -> Value {
    let item = serde_json::from_str(&format!(r#"{{"f": {json}}}"#)).unwrap();
    let Value::Record(mut fields) = item_value(&shape(field), &item).unwrap() else {
        panic!("a record is one")
    };
    JsonEncoder::new(&schema(field)).unwrap().encode(&item).expect("what fits is written");
    fields.remove(0).1
}

/// What is said of it if it doesn't fit.
fn misfit(field: &str, json: &str) -> String {
    let item = serde_json::from_str(&format!(r#"{{"f": {json}}}"#)).unwrap();
    item_value(&shape(field), &item).unwrap_err().to_string()
}

const MILLIS: &str = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
const COLOR: &str = r#"{"type": "enum", "name": "Color", "symbols": ["RED", "BLUE"]}"#;
const PAIR: &str = r#"{"type": "fixed", "name": "Pair", "size": 2}"#;
const UUID: &str = r#"{"type": "string", "logicalType": "uuid"}"#;
const LINES: &str = r#"{"type": "array", "items": {"type": "record", "name": "Line", "fields": [
    {"name": "quantity", "type": "int"}, {"name": "note", "type": ["null", "string"]}]}}"#;

#[test]
fn what_fits_becomes_its_value() {
    let text = |it: &str| Value::String(it.to_owned());
    let branch = |index, it| Value::Union(index, Box::new(it));
    let cases = [
        (r#""null""#, "null", Value::Null),
        (r#""boolean""#, "true", Value::Boolean(true)),
        (r#""int""#, "-2147483648", Value::Int(i32::MIN)),
        (r#""long""#, "9223372036854775807", Value::Long(i64::MAX)),
        (r#""float""#, "0.1", Value::Float(0.1)),
        (r#""double""#, "3", Value::Double(3.0)),
        (r#""string""#, r#""größe""#, text("größe")),
        (r#""bytes""#, r#""/wA=""#, Value::Bytes(vec![0xFF, 0])),
        (PAIR, r#""AQI=""#, Value::Fixed(2, vec![1, 2])),
        (COLOR, r#""BLUE""#, Value::Enum(1, "BLUE".to_owned())),
        (MILLIS, "1700000000123", Value::TimestampMillis(1_700_000_000_123)),
        (MILLIS, r#""2023-11-14T22:13:20.123Z""#, Value::TimestampMillis(1_700_000_000_123)),
        (r#"{"type": "int", "logicalType": "date"}"#, "20000", Value::Date(20_000)),
        (
            UUID,
            r#""6f1e0c52-0000-4000-8000-00000000000a""#,
            text("6f1e0c52-0000-4000-8000-00000000000a"),
        ),
        (
            r#"{"type": "array", "items": "int"}"#,
            "[1, 2]",
            Value::Array(vec![Value::Int(1), Value::Int(2)]),
        ),
        (
            r#"{"type": "map", "values": "int"}"#,
            r#"{"a": 1}"#,
            Value::Map([("a".to_owned(), Value::Int(1))].into()),
        ),
        (r#"["null", "string"]"#, "null", branch(0, Value::Null)),
        (r#"["null", "string"]"#, r#""x""#, branch(1, text("x"))),
        (r#"["int", "long"]"#, "5000000000", branch(1, Value::Long(5_000_000_000))),
        (r#"["long", "double"]"#, "1.5", branch(1, Value::Double(1.5))),
    ];
    for (field, json, expected) in cases {
        assert_eq!(value(field, json), expected, "{field} {json}");
    }
}

#[test]
fn what_does_not_fit_says_where_and_why() {
    let cases = [
        (r#""null""#, "0", "`f` should be null, and is the number 0"),
        (r#""boolean""#, "1", "`f` should be a boolean, and is the number 1"),
        (r#""int""#, "2147483648", "`f` is 2147483648, beyond the range of an int"),
        (r#""int""#, "1.0", "`f` should be an int, and is the number 1.0"),
        (
            r#""long""#,
            "9223372036854775808",
            "`f` is 9223372036854775808, beyond the range of a long",
        ),
        (r#""long""#, r#""1""#, "`f` should be a long, and is the string \"1\""),
        (r#""float""#, "1e39", "`f` is 1e+39, beyond the range of a float"),
        (r#""double""#, "null", "`f` should be a double, and is null"),
        (r#""string""#, "[]", "`f` should be a string, and is an array"),
        (r#""bytes""#, r#""?""#, "`f` should be bytes in base64, and is the string \"?\""),
        (PAIR, r#""AQ==""#, "`f` should be 2 bytes in base64, and is the string \"AQ==\""),
        (
            COLOR,
            r#""GREEN""#,
            "`f` should be one of the symbols RED, BLUE, and is the string \"GREEN\"",
        ),
        (
            MILLIS,
            r#""2023-11-14T22:13:20.1234Z""#,
            "`f` should be a timestamp (RFC 3339 in UTC, or milliseconds since 1970), and is the \
             string \"2023-11-14T22:13:20.1234Z\"",
        ),
        (UUID, r#""6F1E""#, "`f` should be a UUID, and is the string \"6F1E\""),
        (
            r#"{"type": "array", "items": "int"}"#,
            "[1, true]",
            "`f[1]` should be an int, and is true",
        ),
        (
            r#"{"type": "map", "values": "int"}"#,
            r#"{"a b": {}}"#,
            "`f.a b` should be an int, and is an object",
        ),
        (
            LINES,
            r#"[{"quantity": 1, "note": null}, {"quantity": 1}]"#,
            "field `f[1].note` is missing and has no default; it should be null or a string",
        ),
        (
            LINES,
            r#"[{"quantity": 1, "note": null, "nite": 1}]"#,
            "field `f[0].nite` isn't in Line, which has: quantity, note",
        ),
        (r#"["null", "int"]"#, "3000000000", "`f` is 3000000000, beyond the range of an int"),
        (
            r#"["null", "int", "string"]"#,
            "true",
            "`f` should be null or an int or a string, and is true",
        ),
    ];
    for (field, json, expected) in cases {
        // The namespace of the outer record is that of the inner ones.
        assert_eq!(misfit(field, json).replace("a.Line", "Line"), expected, "{field} {json}");
    }
}

#[test]
fn an_item_is_an_object() {
    let error = JsonEncoder::new(&schema(r#""int""#)).unwrap().encode(&json!([1])).unwrap_err();
    assert_eq!(error.to_string(), "`$` should be an object of type a.R, and is an array");
}

#[test]
fn long_strings_are_shown_in_part() {
    let error = misfit(r#""int""#, &format!("{:?}", "ü".repeat(1000)));
    assert!(error.len() < 200, "{error}");
}

#[test]
fn missing_fields_take_their_defaults_as_avro_writes_them() {
    let text = r#"{"type": "record", "name": "R", "fields": [
        {"name": "bytes", "type": "bytes", "default": "\u00ff"},
        {"name": "maybe", "type": ["null", "int"], "default": null},
        {"name": "inner", "type": {"type": "record", "name": "I", "fields": [
            {"name": "n", "type": "long", "default": 7}]}, "default": {}}]}"#;
    let shape = Shape::of(&apache_avro::Schema::parse_str(text).unwrap()).unwrap();
    let expected = Value::Record(vec![
        ("bytes".to_owned(), Value::Bytes(vec![0xFF])),
        ("maybe".to_owned(), Value::Union(0, Box::new(Value::Null))),
        ("inner".to_owned(), Value::Record(vec![("n".to_owned(), Value::Long(7))])),
    ]);
    assert_eq!(item_value(&shape, &json!({})).unwrap(), expected);
}

#[test]
fn a_type_named_twice_is_the_same_type() {
    let text = r#"{"type": "record", "name": "R", "namespace": "a.b", "fields": [
        {"name": "one", "type": {"type": "enum", "name": "E", "symbols": ["X"]}},
        {"name": "two", "type": ["null", "E"]}]}"#;
    JsonEncoder::new(text).unwrap().encode(&json!({"one": "X", "two": "X"})).unwrap();
}

#[test]
fn schemas_that_json_cannot_be_read_by_are_refused_at_start() {
    let problem = |text: &str| JsonEncoder::new(text).err().expect("refused").to_string();
    let decimal = r#"{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}"#;
    let error = problem(&schema(decimal));
    assert_eq!(
        error,
        "field `f` is a decimal, which can't be read from JSON; use another type for it"
    );
    assert!(problem(r#""int""#).contains("not a record"));
    assert!(problem("{").contains("not valid Avro"));
    let itself =
        r#"{"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"]}]}"#;
    assert!(problem(itself).contains("contains itself"));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    id: i64,
    note: Option<String>,
    tags: Vec<String>,
}

impl WorkItem for Typed {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Typed", "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": null},
        {"name": "tags", "type": {"type": "array", "items": "string"}}]}"#;
}

#[test]
fn what_is_written_here_is_what_a_worker_of_the_type_reads() {
    let codec = Codec::<Typed>::new().unwrap();
    let encoder = JsonEncoder::new(Typed::SCHEMA).unwrap();
    for typed in [
        Typed { id: -1, note: None, tags: Vec::new() },
        Typed { id: 1 << 40, note: Some("n".into()), tags: vec!["a".into(), String::new()] },
    ] {
        let bytes = encoder.encode(&serde_json::to_value(&typed).unwrap()).unwrap();
        assert_eq!(bytes, codec.encode(&typed).unwrap());
        assert_eq!(codec.decode(&bytes).unwrap(), typed);
    }
}
