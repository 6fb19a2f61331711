//! The records of a join, in the order in which they are written: a group is opened, its parts end,
//! time passes, the group closes, and the journal keeps what the inbox alone doesn't say.

mod group_open;
mod group_seal;
mod part_outcome;
mod tick;

mod group_result;

mod carried;
mod closed;
mod orphaned;
mod reopened;

mod cursor;

mod inbox;
mod journal;

mod as_long;
mod as_millis;
mod schema_files;

pub use carried::{Carried, CarriedPart};
pub use closed::Closed;
pub use cursor::Cursor;
pub use group_open::{Expect, ExpectedPart, GroupOpen};
pub use group_result::{CompletedBy, Counts, GroupResult, GroupStatus};
pub use group_seal::GroupSeal;
pub use inbox::InboxRecord;
pub use journal::JournalRecord;
pub use orphaned::Orphaned;
pub use part_outcome::{PartError, PartOutcome, PartStatus};
pub use reopened::Reopened;
pub use tick::Tick;
