//! Values to bytes and back: a type and its schema file, the codec between them, and below it the
//! frame of a message, the schema made ready, and the check that bytes are one value of it.

mod error;
mod fingerprint;
mod work_item;

mod shared;
mod typed;
mod untyped;

mod body;
mod layout;
mod older;
mod prepared;
mod single_object;

pub use error::{DecodeError, EncodeError, SchemaError};
pub use fingerprint::Fingerprint;
pub use typed::{BYTES_MAX, Codec};
pub use untyped::ValueEncoder;
pub use work_item::WorkItem;
