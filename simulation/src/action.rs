//! What can happen in a history, one thing at a time.

use std::fmt;
use std::time::Duration;

use longshore_kafka::model::{Call, Fault, Held};

/// A process of the fleet: what is started in a slot takes on its transactional id.
pub type Slot = usize;

/// One thing that happens. None refers to another, so that a history can be shortened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// So many records are written to the input.
    Publish(usize),
    /// So many records are written to the input in a transaction that is aborted.
    PublishAborted(usize),
    /// Every process that runs has so many turns.
    Turns(usize),
    /// One process has so many turns, while the others have none.
    TurnsOf(Slot, usize),
    /// Time passes, and nobody does anything.
    Pass(Duration),
    /// A process is started, unless one runs in the slot.
    Start(Slot),
    /// Kill -9.
    Crash(Slot),
    /// It stands still as a process does that is stopped, and its group loses it.
    Freeze(Slot),
    /// Whoever stood still goes on, beside whoever has its slot by now.
    Thaw,
    /// It is asked to drain.
    Drain(Slot),
    /// The group deals its partitions out anew.
    Rebalance,
    /// The group loses a member, which hears of it at its next poll.
    Expel(Slot),
    /// A request of a process to join, which came late, takes its slot from it.
    TakeSlot(Slot),
    /// Until its next poll a member doesn't hear what happens in its group.
    FallBehind(Slot),
    /// The next such call of a process goes wrong.
    Fault(Slot, Call, Fault),
    /// The next such call of a process reaches nobody, how often it is repeated; its first copy
    /// arrives after so many milliseconds, when the process has given it up.
    Stall(Slot, Call, u64),
    /// Transactions that are ended from now on stay undecided for some of their readers, or all.
    HoldMarkers(Held),
    /// Until now.
    ReleaseMarkers,
    /// Retention deletes what every owner is done with.
    Expire,
    /// The clock of a process is so many milliseconds off from now on.
    Clock(Slot, i64),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish(count) => write!(f, "{count} records are written"),
            Self::PublishAborted(count) => write!(f, "{count} records are written and aborted"),
            Self::Turns(count) => write!(f, "{count} turns of everybody"),
            Self::TurnsOf(slot, count) => write!(f, "{count} turns of process {slot} alone"),
            Self::Pass(time) => write!(f, "{time:?} pass"),
            Self::Start(slot) => write!(f, "process {slot} is started"),
            Self::Crash(slot) => write!(f, "process {slot} is killed"),
            Self::Freeze(slot) => write!(f, "process {slot} stands still, its group loses it"),
            Self::Thaw => write!(f, "whoever stood still goes on"),
            Self::Drain(slot) => write!(f, "process {slot} is asked to drain"),
            Self::Rebalance => write!(f, "the partitions are dealt out anew"),
            Self::Expel(slot) => write!(f, "the group loses process {slot}"),
            Self::TakeSlot(slot) => write!(f, "a late request of process {slot} takes its slot"),
            Self::FallBehind(slot) => write!(f, "process {slot} doesn't hear of its group"),
            Self::Fault(slot, call, fault) => {
                write!(f, "process {slot}, its next {call:?}: {fault:?}")
            }
            Self::Stall(slot, call, after) => {
                write!(f, "process {slot}, its next {call:?}: no answer, it arrives in {after} ms")
            }
            Self::HoldMarkers(Held::All) => write!(f, "markers aren't written any more"),
            Self::HoldMarkers(Held::OfRecords) => write!(f, "markers are written of progress only"),
            Self::HoldMarkers(Held::OfProgress) => write!(f, "markers are written of records only"),
            Self::ReleaseMarkers => write!(f, "markers are written again"),
            Self::Expire => write!(f, "what is done with is deleted from the input"),
            Self::Clock(slot, millis) => {
                write!(f, "the clock of process {slot} is {millis} ms off")
            }
        }
    }
}
