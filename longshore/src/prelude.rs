//! What a file with handlers in it needs, to be imported as a whole.

pub use longshore_handler::prelude::*;
pub use longshore_schemas::GroupId;
pub use longshore_schemas::records::GroupResult;

pub use crate::Fleet;
