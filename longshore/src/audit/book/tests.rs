//! Books with one fault planted in each.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longshore_kafka::Partition;
use longshore_kafka::lane::config::Ordering;
use longshore_kafka::reader::Range;
use longshore_schemas::headers::{Failure, ORIGIN};
use longshore_schemas::records::{PartOutcome, Tick};
use longshore_schemas::{Headers, PartId, Revision, Timestamp};

use super::super::fault::Invariant;
use super::super::plan::ByHand;
use super::super::report::Verdict;
use super::*;
use crate::inspect::standing::tests::ours;

const ITEMS: i64 = 10;

/// A stage `price` that reads `in/0` (items at even offsets, markers between them, keys a and b in
/// turn) and writes `out`.
struct Case {
    /// Otherwise it was described by hand.
    is_in_pipeline: bool,
    ordering: Ordering,
    before: Progress,
    after: Progress,
    nothing: Nothing,
    /// What `out` holds, by the offsets of the items.
    outputs: Vec<Record>,
    dead_letters: Vec<Record>,
}

impl Case {
    /// Everything is in order, and all items are finished.
    fn good() -> Self {
        Self {
            is_in_pipeline: false,
            ordering: Ordering::Key,
            before: ours(2 * ITEMS, &[]),
            after: ours(2 * ITEMS, &[]),
            nothing: Nothing::Lost,
            outputs: (0..ITEMS).map(|it| output(it, &format!("in/0/{}/0", 2 * it))).collect(),
            dead_letters: Vec::new(),
        }
    }

    fn report(&self) -> Report {
        let mut plan = Plan::by_hand(ByHand {
            group: "price".into(),
            input: "in".into(),
            outputs: vec!["out".into()],
            dead_letters: Some("in-dlt".into()),
            ordering: self.ordering,
        });
        if self.is_in_pipeline {
            plan.stages[0].ends.insert("price".into());
        }
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::create(Some(folder.path())).unwrap();
        let mut books = Books::new(&plan, &state, (100, 100)).unwrap();
        books.reads(&"in".into(), &[RANGE]);
        for record in input() {
            books.enter_item(&record).unwrap();
        }
        for (written, records) in plan.topics.iter().zip([&self.outputs, &self.dead_letters]) {
            for record in records {
                books.enter(written, record, true).unwrap();
            }
        }
        let around = Around {
            before: BTreeMap::from([(0, self.before.clone())]),
            after: BTreeMap::from([(0, self.after.clone())]),
        };
        let stages = vec![(around, self.nothing.clone())];
        books.close(&Rest { stages, joins: Vec::new() }).unwrap()
    }

    /// The faults, as they are told.
    fn faults(&self) -> Vec<(Invariant, String)> {
        let faults = self.report().faults;
        faults.iter().map(|it| (it.breaks(), it.to_string())).collect()
    }

    /// Has two outputs written in each other's place.
    fn swap(&mut self, a: usize, b: usize) {
        self.outputs.swap(a, b);
        for (record, offset) in self.outputs.iter_mut().zip(0..) {
            record.offset = Offset(offset);
        }
    }

    fn has_only(&self, invariant: Invariant, told: &str) {
        assert_eq!(self.faults(), [(invariant, told.to_owned())]);
        assert_eq!(self.report().verdict(), Verdict::Faulty);
    }
}

fn record(topic: &str, offset: i64, key: Option<&str>) -> Record {
    Record {
        topic: topic.into(),
        partition: Partition(0),
        offset: Offset(offset),
        key: key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
        value: None,
        headers: Headers::new(),
        timestamp: None,
    }
}

fn output(offset: i64, origin: &str) -> Record {
    let mut record = record("out", offset, None);
    record.headers.set_text(ORIGIN, origin);
    record
}

/// Of an item with key b.
fn dead_letter(offset: i64, origin: &str) -> Record {
    let mut record = record("in-dlt", offset, Some("b"));
    let failure = Failure {
        class: "poison".into(),
        message: "bad".into(),
        origin: origin.parse().unwrap(),
        attempts: 1,
        stage: "price".into(),
        failed_at: Timestamp(0),
        item_time: None,
    };
    failure.write(&mut record.headers);
    record
}

const RANGE: Range = Range { partition: Partition(0), from: Offset(0), to: Offset(2 * ITEMS) };

fn input() -> Vec<Record> {
    let key = |item: i64| if item % 2 == 0 { "a" } else { "b" };
    (0..ITEMS).map(|item| record("in", 2 * item, Some(key(item)))).collect()
}

#[test]
fn a_good_book_is_clean_and_says_what_was_looked_at() {
    let report = Case::good().report();
    assert_eq!((report.verdict(), &report.faults), (Verdict::Clean, &vec![]));
    let stage = &report.stages[0];
    assert_eq!((stage.finished, stage.records, stage.in_order), (10, 10, 10));
    assert!(report.to_string().contains("nothing is wrong"), "{report}");
}

#[test]
fn a_lost_item_is_named() {
    let mut case = Case::good();
    case.outputs.remove(3);
    case.has_only(Invariant::Eo2, "in/0/6 is finished by price, and nothing came of it");
}

#[test]
fn an_item_finished_ahead_of_the_position_must_have_ended_too() {
    let mut case = Case::good();
    case.before = ours(4, &[(6, 9)]);
    case.after = case.before.clone();
    case.outputs =
        [0, 2, 6].iter().zip(0..).map(|(it, at)| output(at, &format!("in/0/{it}/0"))).collect();
    case.has_only(Invariant::Eo2, "in/0/8 is finished by price, and nothing came of it");
}

#[test]
fn an_unfinished_item_needs_no_outcome() {
    let mut case = Case::good();
    case.outputs.truncate(3);
    case.before = ours(6, &[]);
    case.after = ours(6, &[]);
    assert_eq!(case.report().verdict(), Verdict::Clean);
}

#[test]
fn a_dead_letter_is_an_outcome_and_not_beside_an_output() {
    let mut case = Case::good();
    case.dead_letters = vec![dead_letter(0, "in/0/6/0")];
    let told = "in/0/6 has an output of price, out/0/3, and is given up by it, in in-dlt/0/0";
    case.has_only(Invariant::Eo2, told);
    case.outputs.remove(3);
    assert_eq!(case.faults(), []);
    assert_eq!(case.report().stages[0].given_up, 1);
    case.dead_letters.push(dead_letter(1, "in/0/6/0"));
    case.has_only(Invariant::Eo8, "in-dlt/0/1 is a second dead letter of in/0/6/0");
}

#[test]
fn a_dead_letter_that_differs_from_its_item_is_named() {
    type Change = (&'static str, fn(&mut Record));
    let changes: [Change; 4] = [
        ("key", |it| it.key = None),
        ("value", |it| it.value = Some(Bytes::from_static(b"x"))),
        ("another header", |it| {
            let mut headers = Headers::new();
            headers.set_text("tenant", "acme");
            it.headers.iter().for_each(|(name, value)| headers.push(name, value.cloned()));
            it.headers = headers;
        }),
        ("a header behind", |it| it.headers.push("tenant", None)),
    ];
    for (what, change) in changes {
        let mut case = Case::good();
        case.outputs.remove(3);
        case.dead_letters = vec![dead_letter(0, "in/0/6/0")];
        assert_eq!(case.faults(), [], "{what}");
        change(&mut case.dead_letters[0]);
        case.has_only(Invariant::Eo8, "dead letter in-dlt/0/0 differs from its item, in/0/6");
        assert_eq!(case.report().dead_letters, 1);
    }
}

#[test]
fn a_doubled_record_is_named_and_told_from_a_second_output() {
    let mut case = Case::good();
    case.outputs.push(output(10, "in/0/18/1"));
    assert_eq!(case.faults(), []);
    case.outputs.push(output(11, "in/0/4/0"));
    case.has_only(Invariant::Eo3, "out/0/11 is a second record of origin in/0/4/0");
    case.outputs[11] = output(11, "in/0/18/1");
    case.has_only(Invariant::Eo3, "out/0/11 is a second record of origin in/0/18/1");
}

#[test]
fn an_output_that_is_missing_before_a_later_one_is_named() {
    let with = |indexes: &[u32]| {
        let mut case = Case { is_in_pipeline: true, ..Case::good() };
        case.outputs.truncate(9);
        let made = |(at, index): (i64, &u32)| output(at, &format!("in/0/18/{index}"));
        case.outputs.extend((9..).zip(indexes).map(made));
        case
    };
    let table: [(&[u32], u32, i64); 4] =
        [(&[1], 0, 9), (&[1, 2], 0, 9), (&[0, 2, 4], 1, 10), (&[0, 1, 2, 4], 3, 12)];
    for (indexes, missing, later) in table {
        let told = format!(
            "output {missing} that price made of in/0/18 is missing, and a later one is there, \
             out/0/{later}"
        );
        with(indexes).has_only(Invariant::Eo1, &told);
    }
    // That nothing more was to come nobody knows.
    assert_eq!(with(&[0, 1, 2]).faults(), []);
}

#[test]
fn a_gap_where_not_all_outputs_can_have_been_read_is_no_fault() {
    let gap = || {
        let mut case = Case { is_in_pipeline: true, ..Case::good() };
        case.outputs[9] = output(9, "in/0/18/1");
        case
    };
    assert_eq!(gap().faults().len(), 1);
    for nothing in [Nothing::Expired("out".into()), Nothing::Held("out".into())] {
        assert_eq!(Case { nothing, ..gap() }.faults(), []);
    }
    let ended_since = Case { before: ours(18, &[]), ..gap() };
    assert_eq!(ended_since.faults(), [], "a topic was read before it ended");
    let finished_ahead = Case { before: ours(4, &[(18, 19)]), ..gap() };
    assert_eq!(finished_ahead.faults().len(), 1);
    for (is_whole, count) in [(true, 1), (false, 0)] {
        let may_skip = Case { nothing: Nothing::LeftOut { is_whole }, ..gap() };
        assert_eq!(may_skip.faults().len(), count, "whole: {is_whole}");
    }
    let by_hand = Case { is_in_pipeline: false, ..gap() };
    assert_eq!(by_hand.faults(), [], "it may write elsewhere");
}

#[test]
fn records_of_one_key_in_the_wrong_order_are_named() {
    let mut case = Case::good();
    // Items 4 and 6 are of different keys; 4 and 8 are of the same.
    case.swap(2, 3);
    assert_eq!(case.faults(), []);
    case.swap(2, 3);
    case.swap(2, 4);
    let told = "out/0/4, of in/0/4/0, comes after a record of offset 8, of its key";
    case.has_only(Invariant::Eo6, told);
    case.ordering = Ordering::None;
    assert_eq!(case.faults(), []);
    case.ordering = Ordering::Partition;
    assert_eq!(case.faults().len(), 2);
}

#[test]
fn a_record_whose_origin_nobody_committed_is_named() {
    let table = [
        ("in/0/7/0", "a marker's or an aborted record's offset"),
        ("in/3/0/0", "a partition that isn't there"),
        ("elsewhere/0/0/0", "a topic that the stage doesn't read"),
        ("nonsense", "no origin"),
    ];
    for (origin, why) in table {
        let mut case = Case::good();
        case.outputs.push(output(10, origin));
        let told = format!("out/0/10 names origin {origin}, which no committed record is");
        assert_eq!(case.faults(), [(Invariant::Eo4, told)], "{why}");
    }
    let mut case = Case::good();
    case.outputs.push(record("out", 10, None));
    case.has_only(Invariant::Eo4, "out/0/10 names origin none, which no committed record is");
}

#[test]
fn a_record_of_an_item_that_is_not_finished_is_named() {
    let mut case = Case::good();
    case.before = ours(10, &[]);
    case.after = ours(16, &[(18, 20)]);
    let told = "in/0/16 has records of price that can be read, out/0/8 among them, and isn't \
                finished in its progress";
    case.has_only(Invariant::Eo1, told);
}

#[test]
fn what_cannot_be_checked_is_said_and_is_no_fault() {
    let lost = |nothing| {
        let mut case = Case::good();
        case.outputs.remove(3);
        Case { nothing, ..case }.report()
    };
    for nothing in [Nothing::Expired("out".into()), Nothing::Held("out".into())] {
        assert_eq!(lost(nothing).verdict(), Verdict::Inconclusive);
    }
    let left_out = lost(Nothing::LeftOut { is_whole: true });
    assert_eq!((left_out.verdict(), left_out.stages[0].untold), (Verdict::Clean, 1));
    let never = Case { before: Progress::None, after: Progress::None, ..Case::good() };
    let report = never.report();
    assert_eq!(report.not_checked, BTreeSet::from([NotChecked::NoProgress("price".into())]));
    assert_eq!(report.verdict(), Verdict::Inconclusive);
}

#[test]
fn records_of_newer_and_of_expired_items_are_only_counted() {
    let mut case = Case::good();
    case.outputs.push(output(10, &format!("in/0/{}/0", 2 * ITEMS)));
    let report = case.report();
    assert_eq!((report.verdict(), report.stages[0].newer), (Verdict::Clean, 1));
}

#[test]
fn faults_are_counted_beyond_those_that_are_named() {
    let mut report = Report::new(2);
    for _ in 0..5 {
        let (origin, at) = ("x".to_owned(), Place::of(&output(0, "x")));
        report.fault(Fault::Doubled { origin, at });
    }
    assert_eq!((report.faults.len(), report.counts[&Invariant::Eo3]), (2, 5));
    assert!(report.to_string().contains("at fault: 3 more"), "{report}");
}

#[test]
fn an_inbox_tells_of_parts_that_ended_in_the_name_of_a_later_stage() {
    let outcome = |stage: &str, status| PartOutcome {
        group_id: "g".into(),
        revision: Revision(1),
        opened_at: Timestamp(0),
        stage: stage.into(),
        part_id: PartId(0),
        attempt: 0,
        status,
        payload: None,
        error: None,
    };
    let mut told = output(0, "in/0/2/0");
    told.value = Some(InboxRecord::Outcome(outcome("pack", PartStatus::Done)).encode().unwrap());
    let expected = Claim::Ended {
        origin: "in/0/2/0".parse().unwrap(),
        stage: "pack".into(),
        status: PartStatus::Done,
    };
    assert_eq!(Claim::of_inbox(&told, inbox_record(&told).as_ref()), expected);
    let tick = Tick { at: Timestamp(0), owner: "o".into() };
    told.value = Some(InboxRecord::Tick(tick).encode().unwrap());
    told.headers = Headers::new();
    assert_eq!(Claim::of_inbox(&told, inbox_record(&told).as_ref()), Claim::NoItem);
}
