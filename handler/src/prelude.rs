//! What a file with handlers in it needs, to be imported as a whole.

pub use longshore_schemas::records::{Expect, ExpectedPart, GroupStatus, PartStatus};
pub use longshore_schemas::{PartId, WorkItem};

pub use crate::{Context, FanOut, Group, Handler, HandlerError, Outcome, Output, RawItem};
