//! A schema made ready for conversion: names resolved, defaults converted, all problems found.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::{Name, RecordField, RecordSchema, UnionSchema, UuidSchema};
use apache_avro::types::Value;
use serde_json::Value as Json;

use super::convert::default_value;
use super::instant::Precision;
use super::{Misfit, SchemaProblem};

const LOCAL_MILLIS: &str = "a local timestamp in milliseconds";
const LOCAL_MICROS: &str = "a local timestamp in microseconds";
const LOCAL_NANOS: &str = "a local timestamp in nanoseconds";

/// A type, and how its values are made. Types that are named twice share what is behind the `Arc`.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Null,
    Boolean,
    /// An int, or what is one underneath.
    Int(&'static str, fn(i32) -> Value),
    /// A long, or what is one underneath.
    Long(&'static str, fn(i64) -> Value),
    /// A moment, which JSON may also give as text.
    Instant(Precision, fn(i64) -> Value),
    Float,
    Double,
    String,
    Uuid,
    Bytes,
    Fixed(usize),
    Enum(Arc<[String]>),
    Array(Arc<Shape>),
    Map(Arc<Shape>),
    Union(Arc<[Shape]>),
    Record(Arc<Record>),
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) default: Option<Value>,
}

impl Shape {
    /// The shape of a schema that is known not to contain itself.
    pub(super) fn of(schema: &Schema) -> Result<Self, SchemaProblem> {
        let mut shapes = Shapes { named: HashMap::new(), path: Vec::new() };
        shapes.of(schema)
    }

    /// Whether JSON of this kind can be meant by it, be it well-formed or not.
    pub(super) fn is_meant_by(&self, json: &Json) -> bool {
        match self {
            Self::Null => json.is_null(),
            Self::Boolean => json.is_boolean(),
            Self::Int(..) | Self::Long(..) | Self::Float | Self::Double => json.is_number(),
            Self::Instant(..) => json.is_number() || json.is_string(),
            Self::String | Self::Uuid | Self::Bytes | Self::Fixed(_) | Self::Enum(_) => {
                json.is_string()
            }
            Self::Array(_) => json.is_array(),
            Self::Map(_) | Self::Record(_) => json.is_object(),
            Self::Union(branches) => branches.iter().any(|branch| branch.is_meant_by(json)),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Int(name, _) | Self::Long(name, _) => f.write_str(name),
            Self::Instant(precision, _) => precision.fmt(f),
            Self::Float => f.write_str("a float"),
            Self::Double => f.write_str("a double"),
            Self::String => f.write_str("a string"),
            Self::Uuid => f.write_str("a UUID"),
            Self::Bytes => f.write_str("bytes in base64"),
            Self::Fixed(size) => write!(f, "{size} bytes in base64"),
            Self::Enum(symbols) => write!(f, "one of the symbols {}", symbols.join(", ")),
            Self::Array(_) => f.write_str("an array"),
            Self::Map(_) => f.write_str("an object"),
            Self::Union(branches) => {
                let branches: Vec<_> = branches.iter().map(Self::to_string).collect();
                f.write_str(&branches.join(" or "))
            }
            Self::Record(record) => write!(f, "an object of type {}", record.name),
        }
    }
}

/// The shapes found so far by name, and where the walk stands.
struct Shapes {
    named: HashMap<Name, Shape>,
    path: Vec<String>,
}

impl Shapes {
    fn of(&mut self, schema: &Schema) -> Result<Shape, SchemaProblem> {
        Ok(match schema {
            Schema::Null => Shape::Null,
            Schema::Boolean => Shape::Boolean,
            Schema::Int => Shape::Int("an int", Value::Int),
            Schema::Date => Shape::Int("a date in days since 1970", Value::Date),
            Schema::TimeMillis => Shape::Int("a time in milliseconds", Value::TimeMillis),
            Schema::Long => Shape::Long("a long", Value::Long),
            Schema::TimeMicros => Shape::Long("a time in microseconds", Value::TimeMicros),
            Schema::TimestampMillis => Shape::Instant(Precision::Millis, Value::TimestampMillis),
            Schema::TimestampMicros => Shape::Instant(Precision::Micros, Value::TimestampMicros),
            Schema::TimestampNanos => Shape::Instant(Precision::Nanos, Value::TimestampNanos),
            Schema::LocalTimestampMillis => Shape::Long(LOCAL_MILLIS, Value::LocalTimestampMillis),
            Schema::LocalTimestampMicros => Shape::Long(LOCAL_MICROS, Value::LocalTimestampMicros),
            Schema::LocalTimestampNanos => Shape::Long(LOCAL_NANOS, Value::LocalTimestampNanos),
            Schema::Float => Shape::Float,
            Schema::Double => Shape::Double,
            Schema::Bytes => Shape::Bytes,
            Schema::String => Shape::String,
            Schema::Uuid(UuidSchema::String) => Shape::Uuid,
            Schema::Array(array) => Shape::Array(self.of(&array.items)?.into()),
            Schema::Map(map) => Shape::Map(self.of(&map.types)?.into()),
            Schema::Union(union) => self.union(union)?,
            Schema::Record(record) => self.record(record)?,
            Schema::Enum(it) => self.define(&it.name, Shape::Enum(it.symbols.clone().into())),
            Schema::Fixed(fixed) => self.define(&fixed.name, Shape::Fixed(fixed.size)),
            Schema::Ref { name } => match self.named.get(name) {
                Some(shape) => shape.clone(),
                None => return Err(self.unsupported("a type that contains itself")),
            },
            Schema::Decimal(_) | Schema::BigDecimal => return Err(self.unsupported("a decimal")),
            Schema::Duration(_) => return Err(self.unsupported("a duration")),
            Schema::Uuid(_) => return Err(self.unsupported("a UUID in bytes")),
        })
    }

    fn union(&mut self, union: &UnionSchema) -> Result<Shape, SchemaProblem> {
        let branches = union.variants().iter().map(|branch| self.of(branch));
        Ok(Shape::Union(branches.collect::<Result<_, _>>()?))
    }

    fn record(&mut self, record: &RecordSchema) -> Result<Shape, SchemaProblem> {
        let fields = record.fields.iter().map(|field| self.field(field));
        let fields = fields.collect::<Result<_, _>>()?;
        let shape = Record { name: record.name.to_string(), fields };
        Ok(self.define(&record.name, Shape::Record(shape.into())))
    }

    fn field(&mut self, field: &RecordField) -> Result<Field, SchemaProblem> {
        self.path.push(field.name.clone());
        let shape = self.of(&field.schema)?;
        let default = field.default.as_ref().map(|json| default_value(&shape, json));
        let default = default.transpose().map_err(|misfit| self.bad_default(misfit))?;
        self.path.pop();
        Ok(Field { name: field.name.clone(), shape, default })
    }

    fn define(&mut self, name: &Name, shape: Shape) -> Shape {
        self.named.insert(name.clone(), shape.clone());
        shape
    }

    fn bad_default(&self, misfit: Misfit) -> SchemaProblem {
        SchemaProblem::Default { path: self.path.join("."), misfit }
    }

    fn unsupported(&self, kind: &'static str) -> SchemaProblem {
        SchemaProblem::Unsupported { path: self.path.join("."), kind }
    }
}
