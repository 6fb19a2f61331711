//! The types are what their schema files say, field for field, and the files agree with each other.

use std::collections::BTreeMap;

use apache_avro::Schema;
use apache_avro::schema::RecordField;
use longshore_schemas::WorkItem;
use longshore_schemas::records::{Carried, Closed, GroupOpen, GroupResult, PartOutcome};
use serde::Serialize;
use serde_json::Value;

use crate::records::{Record, for_each_record};

/// A field of the schema that the type lacks would be written as its default and read as nothing.
fn the_type_has_the_fields_of_its_schema<R: Record>() {
    let Schema::Record(record) = Schema::parse_str(R::SCHEMA).unwrap() else {
        panic!("{} is a record", R::NAME);
    };
    assert_eq!(record.name.to_string(), format!("longshore.{}", R::NAME));
    let schema = sorted(record.fields.iter().map(|field| field.name.clone()));
    let value = serde_json::to_value(&R::golden()[0]).unwrap();
    let rust = sorted(value.as_object().unwrap().keys().cloned());
    assert_eq!(schema, rust, "{}", R::NAME);
}

fn every_field_is_documented<R: Record>() {
    let Schema::Record(record) = Schema::parse_str(R::SCHEMA).unwrap() else {
        panic!("{} is a record", R::NAME);
    };
    let bare: Vec<&RecordField> = record.fields.iter().filter(|f| f.doc.is_none()).collect();
    assert!(record.doc.is_some() && bare.is_empty(), "{}: {bare:?}", R::NAME);
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

mod every_record {
    use super::for_each_record;

    for_each_record!(the_type_has_the_fields_of_its_schema);
    for_each_record!(every_field_is_documented);
}

#[test]
fn a_type_named_in_two_files_is_the_same_in_both() {
    assert_eq!(definitions().len(), 12, "{:?}", definitions().keys());
}

#[test]
fn a_type_within_a_record_has_the_fields_of_its_definition() {
    let closed = Closed::golden().remove(0);
    same_fields("Counts", &closed.counts);
    same_fields("ExpectedPart", &closed.missing[0]);
    same_fields("PartError", PartOutcome::golden()[0].error.as_ref().unwrap());
    same_fields("CarriedPart", &Carried::golden()[0].parts[0]);
}

fn same_fields(name: &str, value: &impl Serialize) {
    let definition = &definitions()[name];
    let fields = definition["fields"].as_array().unwrap().iter();
    let schema = sorted(fields.map(|field| field["name"].as_str().unwrap().to_owned()));
    let value = serde_json::to_value(value).unwrap();
    assert_eq!(schema, sorted(value.as_object().unwrap().keys().cloned()), "{name}");
}

/// The named types of all files that have any within them, by name.
fn definitions() -> BTreeMap<String, Value> {
    let mut seen = BTreeMap::new();
    for file in [
        GroupOpen::SCHEMA,
        PartOutcome::SCHEMA,
        GroupResult::SCHEMA,
        Closed::SCHEMA,
        Carried::SCHEMA,
    ] {
        collect(&serde_json::from_str(file).unwrap(), &mut seen);
    }
    seen
}

/// Adds the named types of a schema, each without its namespace, which the outermost one has.
fn collect(schema: &Value, seen: &mut BTreeMap<String, Value>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| collect(branch, seen)),
        Value::Object(object) => {
            if let Some(Value::String(name)) = object.get("name").filter(|_| is_named(object)) {
                let mut definition = object.clone();
                definition.remove("namespace");
                let definition = Value::Object(definition);
                let first = seen.entry(name.clone()).or_insert_with(|| definition.clone());
                assert_eq!(*first, definition, "{name} differs");
            }
            ["type", "items", "fields"]
                .iter()
                .filter_map(|key| object.get(*key))
                .for_each(|inner| collect(inner, seen));
        }
        _ => {}
    }
}

fn is_named(object: &serde_json::Map<String, Value>) -> bool {
    matches!(object.get("type").and_then(Value::as_str), Some("record" | "enum"))
}
