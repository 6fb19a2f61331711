//! What a program registers for its pipelines: handlers and types of items, by name.

use std::collections::BTreeMap;

use longshore_handler::{Handler, Handlers, RegisterError};
use longshore_schemas::{Codec, WorkItem};

use crate::pipeline::{KnownHandler, KnownItem, Registered};

/// Handlers and types of items by their names.
#[derive(Default)]
pub struct Registry {
    /// The handlers.
    pub handlers: Handlers,
    items: BTreeMap<String, RegisteredItem>,
}

/// A registered type of items.
#[derive(Clone, Copy, Debug)]
pub struct RegisteredItem {
    /// Its schema's full name.
    pub name: &'static str,
    /// Its schema, as JSON.
    pub schema: &'static str,
}

impl Registry {
    /// Registers a handler.
    pub fn handler(&mut self, name: &str, handler: impl Handler) -> Result<(), RegisterError> {
        self.handlers.add(name, handler)
    }

    /// Registers a type of items. The same name again replaces it.
    pub fn item<T: WorkItem>(&mut self, name: &str) -> Result<(), RegisterError> {
        let codec = Codec::<T>::shared()
            .map_err(|error| RegisterError::Schema { name: name.to_owned(), error })?;
        let item = RegisteredItem { name: codec.schema_name(), schema: T::SCHEMA };
        self.items.insert(name.to_owned(), item);
        Ok(())
    }

    /// The type of items of this name.
    pub fn item_named(&self, name: &str) -> Option<RegisteredItem> {
        self.items.get(name).copied()
    }

    /// What a pipeline may name.
    pub fn registered(&self) -> Registered<'_> {
        let handlers = self.handlers.iter();
        let items = self.items.iter();
        Registered {
            handlers: handlers
                .map(|(name, handler)| KnownHandler { name, takes: handler.takes })
                .collect(),
            items: items.map(|(name, item)| KnownItem { name, schema: item.name }).collect(),
        }
    }
}
