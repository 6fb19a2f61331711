//! Schemas become layouts, or are refused.

use super::*;

fn layout(field: &str) -> Result<Layout, SchemaError> {
    let schema = r#"{"type": "record", "name": "R", "fields": [{"name": "f", "type": FIELD}]}"#;
    let schema = Schema::parse_str(&schema.replace("FIELD", field)).unwrap();
    match Layout::of(&schema, "R")? {
        Layout::Record(fields) => Ok(fields[0].clone()),
        other => panic!("a record, not {other:?}"),
    }
}

#[test]
fn every_primitive_has_its_layout() {
    assert_eq!(layout(r#""null""#), Ok(Layout::Nothing));
    assert_eq!(layout(r#""boolean""#), Ok(Layout::Boolean));
    assert_eq!(layout(r#""int""#), Ok(Layout::Number));
    assert_eq!(layout(r#""long""#), Ok(Layout::Number));
    assert_eq!(layout(r#""float""#), Ok(Layout::Fixed(4)));
    assert_eq!(layout(r#""double""#), Ok(Layout::Fixed(8)));
    assert_eq!(layout(r#""bytes""#), Ok(Layout::Sized));
    assert_eq!(layout(r#""string""#), Ok(Layout::Sized));
}

#[test]
fn a_logical_type_lies_as_the_type_below_it() {
    let date = r#"{"type": "int", "logicalType": "date"}"#;
    assert_eq!(layout(date), Ok(Layout::Number));
    let time = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
    assert_eq!(layout(time), Ok(Layout::Number));
    let uuid = r#"{"type": "string", "logicalType": "uuid"}"#;
    assert_eq!(layout(uuid), Ok(Layout::Sized));
    let decimal = r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}"#;
    assert_eq!(layout(decimal), Ok(Layout::Sized));
    let duration = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
    assert_eq!(layout(duration), Ok(Layout::Fixed(12)));
}

#[test]
fn a_map_is_an_array_of_pairs() {
    let pair = Layout::Record([Layout::Sized, Layout::Nothing].into());
    let map = r#"{"type": "map", "values": "null"}"#;
    assert_eq!(layout(map), Ok(Layout::Items(pair.into())));
}

#[test]
fn a_type_named_again_has_the_same_layout() {
    let twice = r#"{"type": "record", "name": "P", "fields": [
        {"name": "a", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}},
        {"name": "b", "type": "E"}
    ]}"#;
    let fields = [Layout::Symbol(2), Layout::Symbol(2)];
    assert_eq!(layout(twice), Ok(Layout::Record(fields.into())));
}

#[test]
fn a_type_that_contains_itself_is_refused() {
    let refused = SchemaError::Recursive { schema: "R".into(), name: "R".into() };
    assert_eq!(layout(r#"["null", "R"]"#), Err(refused.clone()));
    assert_eq!(layout(r#"{"type": "array", "items": "R"}"#), Err(refused));
}

#[test]
fn items_that_take_no_bytes_are_refused() {
    let refused = Err(SchemaError::EmptyItems { schema: "R".into() });
    let array = |items: &str| layout(&format!(r#"{{"type": "array", "items": {items}}}"#));
    assert_eq!(array(r#""null""#), refused);
    assert_eq!(array(r#"{"type": "record", "name": "P", "fields": []}"#), refused);
    assert_eq!(array(r#"{"type": "fixed", "name": "F", "size": 0}"#), refused);
    let nested = r#"{"type": "record", "name": "P", "fields": [{"name": "n", "type": "null"}]}"#;
    assert_eq!(array(nested), refused);
    assert!(array(r#"["null"]"#).is_ok(), "a union's branch number takes a byte");
}
