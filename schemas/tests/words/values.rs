//! Any value of every record.

use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::records::{
    Carried, CarriedPart, Closed, CompletedBy, Counts, Cursor, Expect, ExpectedPart, GroupOpen,
    GroupResult, GroupSeal, GroupStatus, Orphaned, PartError, PartOutcome, PartStatus, Reopened,
    Tick,
};
use longshore_schemas::{PartId, Revision, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A name of some kind: any text.
pub(crate) fn name<T: From<String> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    any::<String>().prop_map(T::from)
}

fn revision() -> impl Strategy<Value = Revision> {
    any::<u32>().prop_map(Revision)
}

fn part_id() -> impl Strategy<Value = PartId> {
    any::<u32>().prop_map(PartId)
}

pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp)
}

fn payload() -> impl Strategy<Value = Option<Bytes>> {
    option::of(vec(any::<u8>(), 0..64).prop_map(Bytes::from))
}

fn expected_part() -> impl Strategy<Value = ExpectedPart> {
    (name(), part_id()).prop_map(|(stage, part_id)| ExpectedPart { stage, part_id })
}

fn expect() -> impl Strategy<Value = Expect> {
    prop_oneof![
        vec(expected_part(), 0..5).prop_map(Expect::Parts),
        any::<u32>().prop_map(Expect::Count),
        Just(Expect::OpenEnded),
    ]
}

fn part_error() -> impl Strategy<Value = PartError> {
    (any::<String>(), any::<String>()).prop_map(|(class, message)| PartError { class, message })
}

fn counts() -> impl Strategy<Value = Counts> {
    any::<[u32; 6]>().prop_map(|[expected, done, skipped, failed, missing, duplicate]| Counts {
        expected,
        done,
        skipped,
        failed,
        missing,
        duplicate,
    })
}

fn group_status() -> impl Strategy<Value = GroupStatus> {
    use GroupStatus::{Complete, Failed, Partial};
    proptest::sample::select(vec![Complete, Partial, Failed])
}

fn completed_by() -> impl Strategy<Value = CompletedBy> {
    use CompletedBy::{All, Command, Quorum, Rule, Timeout};
    proptest::sample::select(vec![All, Rule, Quorum, Timeout, Command])
}

pub(crate) fn group_open() -> BoxedStrategy<GroupOpen> {
    let timeout = (0..=i64::MAX as u64).prop_map(Duration::from_millis);
    let fields = (
        name(),
        option::of(name()),
        revision(),
        timestamp(),
        timeout,
        expect(),
        option::of(name()),
    );
    fields
        .prop_map(|(group_id, run_id, revision, opened_at, timeout, expect, parent)| GroupOpen {
            group_id,
            run_id,
            revision,
            opened_at,
            timeout,
            expect,
            parent,
        })
        .boxed()
}

pub(crate) fn group_seal() -> BoxedStrategy<GroupSeal> {
    (name(), revision(), any::<u32>())
        .prop_map(|(group_id, revision, total)| GroupSeal { group_id, revision, total })
        .boxed()
}

pub(crate) fn part_outcome() -> BoxedStrategy<PartOutcome> {
    use PartStatus::{Done, Failed, Skipped};
    let status = proptest::sample::select(vec![Done, Skipped, Failed]);
    let copied = (name(), revision(), timestamp(), name(), part_id(), any::<u32>());
    (copied, status, payload(), option::of(part_error()))
        .prop_map(|(copied, status, payload, error)| {
            let (group_id, revision, opened_at, stage, part_id, attempt) = copied;
            PartOutcome {
                group_id,
                revision,
                opened_at,
                stage,
                part_id,
                attempt,
                status,
                payload,
                error,
            }
        })
        .boxed()
}

pub(crate) fn tick() -> BoxedStrategy<Tick> {
    (timestamp(), any::<String>()).prop_map(|(at, owner)| Tick { at, owner }).boxed()
}

pub(crate) fn group_result() -> BoxedStrategy<GroupResult> {
    let ended = (group_status(), completed_by(), counts(), vec(expected_part(), 0..4));
    let group = (name(), option::of(name()), revision());
    (group, ended, payload(), option::of(part_error()))
        .prop_map(|(group, ended, payload, error)| {
            let (group_id, run_id, revision) = group;
            let (status, completed_by, counts, missing) = ended;
            GroupResult {
                group_id,
                run_id,
                revision,
                status,
                completed_by,
                counts,
                missing,
                payload,
                error,
            }
        })
        .boxed()
}

pub(crate) fn closed() -> BoxedStrategy<Closed> {
    let ended = (group_status(), completed_by(), counts(), vec(expected_part(), 0..4));
    let places = (any::<i64>(), any::<i64>(), timestamp(), timestamp());
    (name(), revision(), ended, places)
        .prop_map(|(group_id, revision, ended, places)| {
            let (status, completed_by, counts, missing) = ended;
            let (opened_offset, through_offset, deadline, watermark) = places;
            Closed {
                group_id,
                revision,
                status,
                completed_by,
                opened_offset,
                through_offset,
                deadline,
                watermark,
                counts,
                missing,
            }
        })
        .boxed()
}

pub(crate) fn orphaned() -> BoxedStrategy<Orphaned> {
    (name(), revision(), name(), part_id(), any::<i64>())
        .prop_map(|(group_id, revision, stage, part_id, offset)| Orphaned {
            group_id,
            revision,
            stage,
            part_id,
            offset,
        })
        .boxed()
}

pub(crate) fn carried() -> BoxedStrategy<Carried> {
    let part = (any::<i64>(), part_outcome())
        .prop_map(|(offset, outcome)| CarriedPart { offset, outcome });
    let gathered = (vec(part, 0..4), any::<u32>(), any::<bool>());
    let offsets = (any::<i64>(), any::<Option<i64>>());
    (group_open(), timestamp(), offsets, any::<Option<u32>>(), gathered)
        .prop_map(|(opening, deadline, (carried_at, opened_offset), total, gathered)| {
            let (parts, duplicates, continues) = gathered;
            Carried {
                opening,
                deadline,
                carried_at,
                parts,
                opened_offset,
                total,
                duplicates,
                continues,
            }
        })
        .boxed()
}

pub(crate) fn reopened() -> BoxedStrategy<Reopened> {
    (name(), revision(), any::<i64>())
        .prop_map(|(group_id, revision, opened_offset)| Reopened {
            group_id,
            revision,
            opened_offset,
        })
        .boxed()
}

pub(crate) fn cursor() -> BoxedStrategy<Cursor> {
    let count = || 0..=i64::MAX as u64;
    (any::<String>(), count(), count(), any::<bool>())
        .prop_map(|(source, byte, line, ended)| Cursor { source, byte, line, ended })
        .boxed()
}
