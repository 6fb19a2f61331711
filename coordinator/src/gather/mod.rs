//! The pure core of the gather: inbox records with their append times go in, effects come out.
//!
//! Reading order: the rules of a join and their words; an open group and its verdict; what a
//! partition remembers; a record's way through it, live and in a replay; what keeps a replay short
//! and the memory small.
//!
//! Choices where several would do:
//! - A stage's predicate speaks of all parts of the stage, and `not` waits until they are decided
//!   ([`when`](When)). What is COMPLETE, PARTIAL and FAILED stands in `verdict`.
//! - A part appended at the very millisecond of its group's deadline is late.
//! - A part that comes after its group closed is late if the group had waited for it to the end
//!   (closed by its deadline or by a newer opening), every time it comes. After an early close
//!   (`completed_by` rule or quorum) it is a surplus, a cancelled part's outcome among them. A
//!   group that closed before its seal waited for any part.
//! - An opening with a higher revision closes the open lower one first, as its deadline would
//!   (`completed_by` command), so that every revision has its result. A lower one is a conflict.
//! - A part without a group joins it if the opening still comes before `orphan_timeout`; until then
//!   it holds `low`. It counts as expired when the join's own timeout has passed since `opened_at`.
//! - A failed attempt that comes after the attempt that repaired it is dropped, as in the other
//!   order.
//! - An opening or a seal beyond `parts_max` is a conflict; so is a part whose id could only belong
//!   to such a group. Openings may name stages that are no longer in `of`.
//! - In a replay, a record below the `through_offset` of a closing of its revision, or of a higher
//!   one, is settled: it isn't taken in. Any other meets the last closing before it, if that was
//!   still remembered then, by the record's own watermark: a group may be opened again when it has
//!   been forgotten. For that the journal must be recalled from `closed_retention` before the
//!   record at `low` was appended, or earlier.

mod rules;
mod share;
mod when;

mod expected;
mod group;
mod parts;
mod payload;
mod stages;
mod tally;
mod verdict;

mod closed;
mod deadlines;
mod holds;
mod tail;
mod waiting;

mod effect;
mod outbox;

mod accumulate;
mod close;
mod core;
mod live;
mod replay;

mod carry;
mod spilling;

#[cfg(test)]
mod tests;

pub use self::core::{Gather, OpenGroup};
pub use carry::{CarryRefused, Carrying};
pub use effect::{
    Action, Cancel, Carry, Closing, Conflict, ConflictCause, Effect, EndedPart, Late, LateCause,
    Orphan,
};
pub use holds::{GroupKey, Hold};
pub use outbox::Dropped;
pub use payload::Payload;
pub use rules::{OnFailed, OnLate, OnTimeout, Rules, RulesError, Tolerate};
pub use share::{Share, ShareError, Tolerance};
pub use spilling::{Place, Room};
pub use when::{Expr, Predicate, When, WhenError};
