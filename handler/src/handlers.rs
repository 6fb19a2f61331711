//! The handlers of a program by the names under which a pipeline knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_schemas::SchemaError;
use thiserror::Error;

use crate::service::Erased;
use crate::{Handler, Input, Service, Takes};

/// Handlers by name.
#[derive(Default)]
pub struct Handlers(BTreeMap<String, Registered>);

/// A registered handler.
#[derive(Clone)]
pub struct Registered {
    /// The handler, without layers.
    pub service: Arc<dyn Service>,
    /// What it takes.
    pub takes: Takes,
}

/// A handler that can't be registered: an error in the program.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegisterError {
    /// The name is taken.
    #[error("two handlers are registered as `{name}`; rename one of them")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// The schema of what it takes can't be used.
    #[error("handler `{name}`: {error}")]
    Schema {
        /// The handler's name.
        name: String,
        /// What is wrong with the schema.
        #[source]
        error: SchemaError,
    },
}

/// A name under which nothing is registered.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("no handler is registered as `{name}`; registered are: {known}")]
pub struct UnknownHandler {
    name: String,
    known: String,
}

impl Handlers {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a handler.
    ///
    /// # Errors
    /// If the name is taken, or the schema of the handler's items can't be used.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        handler: impl Handler,
    ) -> Result<(), RegisterError> {
        let name = name.into();
        if self.0.contains_key(&name) {
            return Err(RegisterError::Duplicate { name });
        }
        let registered = registered(handler)
            .map_err(|error| RegisterError::Schema { name: name.clone(), error })?;
        self.0.insert(name, registered);
        Ok(())
    }

    /// The handler of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, name: &str) -> Result<&Registered, UnknownHandler> {
        self.0.get(name).ok_or_else(|| UnknownHandler {
            name: name.into(),
            known: match self.0.len() {
                0 => "none".into(),
                _ => self.0.keys().cloned().collect::<Vec<_>>().join(", "),
            },
        })
    }

    /// Every name with its handler, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Registered)> {
        self.0.iter().map(|(name, each)| (name.as_str(), each))
    }
}

fn registered<H: Handler>(handler: H) -> Result<Registered, SchemaError> {
    Ok(Registered { takes: H::Item::takes()?, service: Arc::new(Erased(handler)) })
}

#[cfg(test)]
mod tests {
    use longshore_schemas::WorkItem;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::samples::{Double, Settle};
    use crate::{Context, HandlerError, Outcome};

    fn message<T>(result: Result<T, impl std::error::Error>) -> String {
        result.err().expect("it is refused").to_string()
    }

    #[test]
    fn handlers_are_found_by_name_with_what_they_take() {
        let mut handlers = Handlers::new();
        handlers.add("double", Double).unwrap();
        handlers.add("settle", Settle).unwrap();
        let takes: Vec<_> = handlers.iter().map(|(name, it)| (name, it.takes)).collect();
        let item = Takes::Item { schema: "samples.Line" };
        assert_eq!(takes, [("double", item), ("settle", Takes::Group)]);
        assert!(handlers.get("settle").is_ok());
    }

    #[test]
    fn a_name_is_given_once() {
        let mut handlers = Handlers::new();
        handlers.add("double", Double).unwrap();
        assert_eq!(
            message(handlers.add("double", Settle)),
            "two handlers are registered as `double`; rename one of them"
        );
        assert!(matches!(handlers.get("double").unwrap().takes, Takes::Item { .. }));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let mut handlers = Handlers::new();
        assert_eq!(
            message(handlers.get("duoble")),
            "no handler is registered as `duoble`; registered are: none"
        );
        handlers.add("settle", Settle).unwrap();
        handlers.add("double", Double).unwrap();
        assert_eq!(
            message(handlers.get("duoble")),
            "no handler is registered as `duoble`; registered are: double, settle"
        );
    }

    #[test]
    fn a_broken_schema_is_found_when_its_handler_is_registered() {
        #[derive(Serialize, Deserialize)]
        struct Broken;
        impl WorkItem for Broken {
            const SCHEMA: &'static str = "{";
        }
        struct OfBroken;
        impl Handler for OfBroken {
            type Item = Broken;
            async fn handle(&self, _: Broken, _: &Context) -> Result<Outcome, HandlerError> {
                Ok(Outcome::nothing())
            }
        }
        let refused = message(Handlers::new().add("broken", OfBroken));
        assert!(refused.starts_with("handler `broken`: schema"), "{refused}");
    }
}
