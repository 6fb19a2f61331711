//! The headers of a record: their names, the list of them, and what each group of them says.

mod list;
mod names;

mod reading;

mod failure;
mod item;
mod part;

pub use failure::{ERROR_MESSAGE_MAX, Failure};
pub use item::{idempotency_key, item_id, run_id};
pub use list::Headers;
pub use names::*;
pub use part::PartHeaders;
pub use reading::HeaderError;
