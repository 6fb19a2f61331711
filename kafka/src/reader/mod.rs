//! Reading a topic without a consumer group: up to the end that it had, or following it.

mod error;

mod following;
mod open;
mod reading;

pub use error::ReadError;
pub use following::Following;
pub use open::{Range, ReadFrom, Reader};
pub use reading::Reading;
