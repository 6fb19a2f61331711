//! What the golden samples hold. A value here is never changed: a new version adds one.

use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::records::{
    Carried, CarriedPart, Closed, CompletedBy, Counts, Cursor, Expect, ExpectedPart, GroupOpen,
    GroupResult, GroupSeal, GroupStatus, Orphaned, PartError, PartOutcome, PartStatus, Reopened,
    Tick,
};
use longshore_schemas::{PartId, Revision, Timestamp};

const OPENED_AT: Timestamp = Timestamp(1_700_000_000_123);
const DEADLINE: Timestamp = Timestamp(1_700_000_010_456);

fn expected(stage: &str, part_id: u32) -> ExpectedPart {
    ExpectedPart { stage: stage.into(), part_id: PartId(part_id) }
}

fn counts() -> Counts {
    Counts { expected: 70_000, done: 5, skipped: 4, failed: 3, missing: 2, duplicate: 1 }
}

pub(crate) fn group_open() -> Vec<GroupOpen> {
    vec![GroupOpen {
        group_id: "orders/3/17".into(),
        run_id: Some("run-ü".into()),
        revision: Revision(2),
        opened_at: OPENED_AT,
        timeout: Duration::from_millis(10_333),
        expect: Expect::Parts(vec![expected("price", 0), expected("supply", u32::MAX)]),
        parent: Some("batches/0/9000000000".into()),
    }]
}

pub(crate) fn group_seal() -> Vec<GroupSeal> {
    vec![GroupSeal { group_id: "orders/3/17".into(), revision: Revision::FIRST, total: 300 }]
}

pub(crate) fn part_outcome() -> Vec<PartOutcome> {
    vec![PartOutcome {
        group_id: "orders/3/17".into(),
        revision: Revision(2),
        opened_at: OPENED_AT,
        stage: "price".into(),
        part_id: PartId(4),
        attempt: 3,
        status: PartStatus::Failed,
        payload: Some(Bytes::from_static(b"\x00\x01\xFE\xFF")),
        error: Some(PartError::new("poison", "line 4 has no price")),
    }]
}

pub(crate) fn tick() -> Vec<Tick> {
    vec![Tick { at: OPENED_AT, owner: "coordinator-1".into() }]
}

pub(crate) fn group_result() -> Vec<GroupResult> {
    vec![GroupResult {
        group_id: "orders/3/17".into(),
        run_id: Some("run-1".into()),
        revision: Revision(2),
        status: GroupStatus::Partial,
        completed_by: CompletedBy::Timeout,
        counts: counts(),
        missing: vec![expected("price", 1), expected("supply", 2)],
        payload: Some(Bytes::from_static(b"\xC3\x01")),
        error: Some(PartError::new("gather", "no total")),
    }]
}

pub(crate) fn closed() -> Vec<Closed> {
    vec![Closed {
        group_id: "orders/3/17".into(),
        revision: Revision(2),
        status: GroupStatus::Failed,
        completed_by: CompletedBy::Command,
        opened_offset: 1_000_000_000_000,
        through_offset: 1_000_000_000_064,
        deadline: DEADLINE,
        watermark: OPENED_AT,
        counts: counts(),
        missing: vec![expected("supply", 2)],
    }]
}

pub(crate) fn orphaned() -> Vec<Orphaned> {
    vec![Orphaned {
        group_id: "elsewhere/0/1".into(),
        revision: Revision::FIRST,
        stage: "supply".into(),
        part_id: PartId(6),
        offset: 42,
    }]
}

pub(crate) fn carried() -> Vec<Carried> {
    let done =
        PartOutcome { status: PartStatus::Done, error: None, ..part_outcome().swap_remove(0) };
    let skipped = PartOutcome { status: PartStatus::Skipped, payload: None, ..done.clone() };
    let first = Carried {
        opening: GroupOpen { expect: Expect::Count(7), ..group_open().swap_remove(0) },
        deadline: DEADLINE,
        carried_at: 900,
        parts: vec![
            CarriedPart { offset: 100, outcome: done },
            CarriedPart { offset: 101, outcome: skipped },
        ],
        opened_offset: None,
        total: None,
        duplicates: 0,
        continues: false,
    };
    let second = Carried {
        opening: GroupOpen { expect: Expect::OpenEnded, ..first.opening.clone() },
        opened_offset: Some(90),
        total: Some(70_000),
        duplicates: 3,
        continues: true,
        ..first.clone()
    };
    vec![first, second]
}

pub(crate) fn reopened() -> Vec<Reopened> {
    vec![Reopened { group_id: "orders/3/17".into(), revision: Revision(3), opened_offset: 5_000 }]
}

pub(crate) fn cursor() -> Vec<Cursor> {
    vec![Cursor {
        source: "orders.jsonl:123456:ab12".into(),
        byte: 5_000_000_000,
        line: 15_000,
        ended: true,
    }]
}
