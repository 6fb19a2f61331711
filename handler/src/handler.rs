//! The one trait that a user implements.

use crate::{Context, HandlerError, Input, Outcome};

/// Turns one work item into its outcome. Knows nothing of Kafka, offsets or transactions.
///
/// What it answers is written once, whatever crashes. What it does itself outside Kafka happens at
/// least once: it is called again after an error that may heal, and after a crash. Send
/// [`Context::idempotency_key`] along to make that safe.
///
/// ```
/// use longshore_handler::prelude::*;
/// # use serde::{Deserialize, Serialize};
///
/// # #[derive(Serialize, Deserialize)]
/// # struct Line { quantity: i64, unit_price: String }
/// # impl WorkItem for Line { const SCHEMA: &'static str = ""; }
/// # #[derive(Serialize, Deserialize)]
/// # struct Priced { cents: i64 }
/// # impl WorkItem for Priced { const SCHEMA: &'static str = ""; }
/// struct Price;
///
/// impl Handler for Price {
///     type Item = Line;
///
///     async fn handle(&self, line: Line, _cx: &Context) -> Result<Outcome, HandlerError> {
///         let unit_price: i64 = line.unit_price.parse()?;
///         Outcome::done(&Priced { cents: line.quantity * unit_price })
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What it is given: a type with an Avro schema ([`longshore_schemas::WorkItem`]), the parts of
    /// a [`crate::Group`], or the bytes as they are ([`crate::RawItem`]).
    type Item: Input;

    /// Handles one item. The future is dropped, at whatever it waits for, when the attempt has
    /// taken the stage's `item_timeout`, and when the item's partition moves to another process.
    ///
    /// # Errors
    /// Whatever went wrong, with an answer to the question whether trying again may help: see
    /// [`HandlerError`].
    fn handle(
        &self,
        item: Self::Item,
        cx: &Context,
    ) -> impl Future<Output = Result<Outcome, HandlerError>> + Send;
}
