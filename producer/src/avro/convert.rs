//! One JSON value to one Avro value, strictly: nothing is rounded, dropped or guessed.
//!
//! A union takes plain JSON, not Avro's tagged form, and the first branch that fits. Bytes are
//! base64 (RFC 4648, padded), as JSON has them everywhere but in Avro's own files; in a schema's
//! defaults they are Avro's: a character for each byte.

use std::collections::HashMap;
use std::fmt::Write;

use apache_avro::types::Value;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json};

use super::Misfit;
use super::shape::{Field, Record, Shape};

/// Characters of a string that an error shows.
const SHOWN_MAX: usize = 40;

/// The value of an item.
pub(super) fn item_value(shape: &Shape, json: &Json) -> Result<Value, Misfit> {
    Converter { bytes: BytesForm::Base64, path: Vec::new() }.value(shape, json)
}

/// The value of a field's default.
pub(super) fn default_value(shape: &Shape, json: &Json) -> Result<Value, Misfit> {
    Converter { bytes: BytesForm::Characters, path: Vec::new() }.value(shape, json)
}

/// How bytes stand in JSON.
#[derive(Clone, Copy)]
enum BytesForm {
    Base64,
    /// Characters up to U+00FF (Avro 1.12, "Complex Types": defaults).
    Characters,
}

/// A step from a value to one in it.
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

struct Converter<'a> {
    bytes: BytesForm,
    path: Vec<Step<'a>>,
}

impl<'a> Converter<'a> {
    fn value(&mut self, shape: &'a Shape, json: &'a Json) -> Result<Value, Misfit> {
        let value = match shape {
            Shape::Null => json.is_null().then_some(Value::Null),
            Shape::Boolean => json.as_bool().map(Value::Boolean),
            Shape::Int(_, make) => return self.int(shape, json, *make),
            Shape::Long(_, make) => return self.long(shape, json).map(make),
            Shape::Instant(precision, make) => match json {
                Json::String(text) => precision.parse(text).map(make),
                _ => return self.long(shape, json).map(make),
            },
            Shape::Float => return self.float(shape, json),
            Shape::Double => json.as_f64().map(Value::Double),
            Shape::String => json.as_str().map(|text| Value::String(text.to_owned())),
            Shape::Uuid => uuid(json).map(Value::String),
            Shape::Bytes => self.bytes(json).map(Value::Bytes),
            Shape::Fixed(size) => self.fixed(*size, json),
            Shape::Enum(symbols) => symbol(symbols, json),
            Shape::Array(item) => return self.array(shape, item, json),
            Shape::Map(value) => return self.map(shape, value, json),
            Shape::Union(branches) => return self.union(shape, branches, json),
            Shape::Record(record) => return self.record(shape, record, json),
        };
        value.ok_or_else(|| self.wrong(shape, json))
    }

    fn int(&self, shape: &Shape, json: &Json, make: fn(i32) -> Value) -> Result<Value, Misfit> {
        let long = self.long(shape, json)?;
        i32::try_from(long).map(make).map_err(|_| self.out_of_range(shape, json))
    }

    fn long(&self, shape: &Shape, json: &Json) -> Result<i64, Misfit> {
        match json.as_i64() {
            Some(long) => Ok(long),
            None if json.is_u64() => Err(self.out_of_range(shape, json)),
            None => Err(self.wrong(shape, json)),
        }
    }

    fn float(&self, shape: &Shape, json: &Json) -> Result<Value, Misfit> {
        let double = json.as_f64().ok_or_else(|| self.wrong(shape, json))?;
        // The nearest float: JSON's decimals are rarely exact in either width.
        let float = double as f32;
        if float.is_finite() {
            Ok(Value::Float(float))
        } else {
            Err(self.out_of_range(shape, json))
        }
    }

    fn bytes(&self, json: &Json) -> Option<Vec<u8>> {
        let text = json.as_str()?;
        match self.bytes {
            BytesForm::Base64 => BASE64_STANDARD.decode(text).ok(),
            BytesForm::Characters => text.chars().map(|it| u8::try_from(it).ok()).collect(),
        }
    }

    fn fixed(&self, size: usize, json: &Json) -> Option<Value> {
        let bytes = self.bytes(json)?;
        (bytes.len() == size).then_some(Value::Fixed(size, bytes))
    }

    fn array(&mut self, shape: &Shape, item: &'a Shape, json: &'a Json) -> Result<Value, Misfit> {
        let items = json.as_array().ok_or_else(|| self.wrong(shape, json))?;
        let values = items
            .iter()
            .enumerate()
            .map(|(index, json)| self.at(Step::Index(index), |it| it.value(item, json)));
        Ok(Value::Array(values.collect::<Result<_, _>>()?))
    }

    fn map(&mut self, shape: &Shape, value: &'a Shape, json: &'a Json) -> Result<Value, Misfit> {
        let entries = json.as_object().ok_or_else(|| self.wrong(shape, json))?;
        let values = entries.iter().map(|(name, json)| {
            let value = self.at(Step::Name(name), |it| it.value(value, json))?;
            Ok((name.clone(), value))
        });
        Ok(Value::Map(values.collect::<Result<HashMap<_, _>, Misfit>>()?))
    }

    /// If just one branch can have been meant, its error says most.
    fn union(
        &mut self,
        shape: &Shape,
        branches: &'a [Shape],
        json: &'a Json,
    ) -> Result<Value, Misfit> {
        let mut misfits = Vec::new();
        for (index, branch) in (0..).zip(branches) {
            match self.value(branch, json) {
                Ok(value) => return Ok(Value::Union(index, Box::new(value))),
                Err(misfit) if branch.is_meant_by(json) => misfits.push(misfit),
                Err(_) => {}
            }
        }
        match misfits.pop() {
            Some(misfit) if misfits.is_empty() => Err(misfit),
            _ => Err(self.wrong(shape, json)),
        }
    }

    fn record(
        &mut self,
        shape: &Shape,
        record: &'a Record,
        json: &'a Json,
    ) -> Result<Value, Misfit> {
        let object = json.as_object().ok_or_else(|| self.wrong(shape, json))?;
        let fields = record.fields.iter().map(|field| {
            let value = self.at(Step::Name(&field.name), |it| it.field(field, object))?;
            Ok((field.name.clone(), value))
        });
        let fields: Vec<_> = fields.collect::<Result<_, Misfit>>()?;
        let is_known = |name: &str| record.fields.iter().any(|field| field.name == name);
        match object.keys().find(|name| !is_known(name)) {
            None => Ok(Value::Record(fields)),
            Some(name) => Err(self.at(Step::Name(name), |it| it.unknown(record))),
        }
    }

    fn field(&mut self, field: &'a Field, object: &'a Map<String, Json>) -> Result<Value, Misfit> {
        match (object.get(&field.name), &field.default) {
            (Some(json), _) => self.value(&field.shape, json),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => {
                Err(Misfit::Missing { path: self.path(), expected: field.shape.to_string() })
            }
        }
    }

    fn at<T>(&mut self, step: Step<'a>, act: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = act(self);
        self.path.pop();
        result
    }

    fn unknown(&self, record: &Record) -> Misfit {
        let known: Vec<_> = record.fields.iter().map(|field| field.name.as_str()).collect();
        let (record, known) = (record.name.clone(), known.join(", "));
        Misfit::Unknown { path: self.path(), record, known }
    }

    fn wrong(&self, shape: &Shape, json: &Json) -> Misfit {
        let (expected, found) = (shape.to_string(), shown(json));
        Misfit::WrongType { path: self.path(), expected, found }
    }

    fn out_of_range(&self, shape: &Shape, json: &Json) -> Misfit {
        let (expected, found) = (shape.to_string(), json.to_string());
        Misfit::OutOfRange { path: self.path(), expected, found }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            // Writing to a string can't fail.
            let _ = match step {
                Step::Name(name) if path.is_empty() => write!(path, "{name}"),
                Step::Name(name) => write!(path, ".{name}"),
                Step::Index(index) => write!(path, "[{index}]"),
            };
        }
        if path.is_empty() { "$".to_owned() } else { path }
    }
}

fn symbol(symbols: &[String], json: &Json) -> Option<Value> {
    let text = json.as_str()?;
    let index = symbols.iter().position(|symbol| symbol == text)?;
    Some(Value::Enum(u32::try_from(index).ok()?, text.to_owned()))
}

/// A UUID in its one canonical form, so that equal ones are equal bytes.
fn uuid(json: &Json) -> Option<String> {
    let text = json.as_str()?;
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    let is_hex = text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    (groups == [8, 4, 4, 4, 12] && is_hex).then(|| text.to_owned())
}

fn shown(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(it) => it.to_string(),
        Json::Number(it) => format!("the number {it}"),
        Json::String(it) if it.chars().nth(SHOWN_MAX).is_some() => {
            let shown: String = it.chars().take(SHOWN_MAX).collect();
            format!("the string {shown:?}...")
        }
        Json::String(it) => format!("the string {it:?}"),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
