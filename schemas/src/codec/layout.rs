//! How the values of a schema lie in bytes: all that is needed to step over one, and no more.

use std::collections::HashMap;
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::{DecimalSchema, InnerDecimalSchema, Name, RecordSchema, UuidSchema};

use super::SchemaError;

/// The bytes of a type. A tree of finite depth, in which every item of an array takes at least a
/// byte: so a message bounds both how deep its values go and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Nothing: null.
    Nothing,
    /// One byte, 0 or 1.
    Boolean,
    /// A number of varying length.
    Number,
    /// So many bytes.
    Fixed(usize),
    /// A number and that many bytes.
    Sized,
    /// The number of one of so many symbols.
    Symbol(usize),
    /// The number of a branch, and it.
    Union(Arc<[Layout]>),
    /// One after the other.
    Record(Arc<[Layout]>),
    /// Blocks of items, each with its count; a count of zero ends them. A map's item is a pair.
    Items(Arc<Layout>),
}

impl Layout {
    /// The layout of a schema called `schema`.
    pub(super) fn of(schema: &Schema, name: &str) -> Result<Self, SchemaError> {
        Layouts { schema: name, named: HashMap::new() }.of(schema)
    }

    fn takes_bytes(&self) -> bool {
        match self {
            Self::Nothing | Self::Fixed(0) => false,
            Self::Record(fields) => fields.iter().any(Self::takes_bytes),
            _ => true,
        }
    }
}

/// The layouts found so far, by name; none for a type whose definition has begun but not ended.
struct Layouts<'s> {
    schema: &'s str,
    named: HashMap<Name, Option<Layout>>,
}

impl Layouts<'_> {
    fn of(&mut self, schema: &Schema) -> Result<Layout, SchemaError> {
        Ok(match schema {
            Schema::Null => Layout::Nothing,
            Schema::Boolean => Layout::Boolean,
            Schema::Float => Layout::Fixed(4),
            Schema::Double => Layout::Fixed(8),
            Schema::Bytes | Schema::String | Schema::BigDecimal => Layout::Sized,
            Schema::Uuid(UuidSchema::Bytes | UuidSchema::String) => Layout::Sized,
            Schema::Decimal(DecimalSchema { inner: InnerDecimalSchema::Bytes, .. }) => {
                Layout::Sized
            }
            Schema::Array(array) => self.items(&array.items, |item| item)?,
            Schema::Map(map) => {
                self.items(&map.types, |value| Layout::Record([Layout::Sized, value].into()))?
            }
            Schema::Union(union) => Layout::Union(self.each(union.variants())?),
            Schema::Ref { name } => self.named(name)?,
            Schema::Record(record) => self.record(record)?,
            Schema::Enum(symbols) => {
                self.define(&symbols.name, Layout::Symbol(symbols.symbols.len()))
            }
            Schema::Fixed(fixed)
            | Schema::Duration(fixed)
            | Schema::Uuid(UuidSchema::Fixed(fixed))
            | Schema::Decimal(DecimalSchema { inner: InnerDecimalSchema::Fixed(fixed), .. }) => {
                self.define(&fixed.name, Layout::Fixed(fixed.size))
            }
            // An int or a long, and the times and dates that are one.
            _ => Layout::Number,
        })
    }

    fn each<'s>(
        &mut self,
        schemas: impl IntoIterator<Item = &'s Schema>,
    ) -> Result<Arc<[Layout]>, SchemaError> {
        schemas.into_iter().map(|schema| self.of(schema)).collect()
    }

    fn items(
        &mut self,
        schema: &Schema,
        item: impl FnOnce(Layout) -> Layout,
    ) -> Result<Layout, SchemaError> {
        let item = item(self.of(schema)?);
        if item.takes_bytes() {
            Ok(Layout::Items(item.into()))
        } else {
            Err(SchemaError::EmptyItems { schema: self.schema.into() })
        }
    }

    fn record(&mut self, record: &RecordSchema) -> Result<Layout, SchemaError> {
        self.named.insert(record.name.clone(), None);
        let fields = self.each(record.fields.iter().map(|field| &field.schema))?;
        Ok(self.define(&record.name, Layout::Record(fields)))
    }

    fn define(&mut self, name: &Name, layout: Layout) -> Layout {
        self.named.insert(name.clone(), Some(layout.clone()));
        layout
    }

    /// A type named again. The parser has seen its definition, so what isn't here has not ended.
    fn named(&self, name: &Name) -> Result<Layout, SchemaError> {
        self.named.get(name).cloned().flatten().ok_or_else(|| SchemaError::Recursive {
            schema: self.schema.into(),
            name: name.to_string(),
        })
    }
}

#[cfg(test)]
mod tests;
