//! What a run came to, entered record by record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use longshore::prelude::*;
use longshore::schemas::Codec;
use longshore::schemas::records::PartOutcome;

use super::expected::{Expected, ExpectedOrder, Line};
use super::report::{Check, Report};
use crate::items::{LineItem, Order, SettledOrder};

/// Compares what is found on the topics with what is expected.
#[derive(Debug)]
pub struct Ledger {
    expected: Expected,
    orders: HashMap<GroupId, i64>,
    published: Check,
    complete: Check,
    partial: Check,
    dead_letters: Check,
    late: Check,
    strays: Check,
    seen_published: BTreeSet<i64>,
    seen_settled: BTreeSet<i64>,
    seen_dead: BTreeSet<Line>,
    seen_late: BTreeSet<Line>,
    lines: BTreeMap<(GroupId, u32), Line>,
}

impl Ledger {
    /// Nothing is found yet.
    pub fn new(expected: Expected) -> Self {
        let complete = expected.orders.values().filter(|order| order.is_complete()).count();
        Self {
            published: Check::new("orders published once", expected.orders.len()),
            complete: Check::new("complete orders, total and status as in the input", complete),
            partial: Check::new(
                "partial orders, with exactly the parts expected to be missing or failed",
                expected.orders.len() - complete,
            ),
            dead_letters: Check::new("dead letters", expected.dead_letters.len()),
            late: Check::new("late parts", expected.late.len()),
            strays: Check::new("conflicts, orphans and dead orders", 0),
            expected,
            orders: HashMap::new(),
            seen_published: BTreeSet::new(),
            seen_settled: BTreeSet::new(),
            seen_dead: BTreeSet::new(),
            seen_late: BTreeSet::new(),
            lines: BTreeMap::new(),
        }
    }

    /// An order stands in the source topic; its place names the group that it opens.
    pub fn published(&mut self, group: GroupId, order: &Order) {
        self.published.found += 1;
        let key = order.order_key;
        let known = self.expected.orders.get(&key);
        let columns = |it: &ExpectedOrder| {
            it.total_price == order.total_price
                && it.status == order.status
                && it.lines as usize == order.lines.len()
        };
        if !known.is_some_and(columns) {
            self.published.problem(format!("order {key} is not what the input says"));
        }
        if !self.seen_published.insert(key) {
            self.published.problem(format!("order {key} was published twice"));
        }
        for (part, line) in (0..).zip(&order.lines) {
            self.lines.insert((group.clone(), part), (key, line.line_number));
        }
        self.orders.insert(group, key);
    }

    /// A result stands in the sink. Every order must be entered before.
    pub fn settled(&mut self, result: &GroupResult) {
        let Some(&key) = self.orders.get(&result.group_id) else {
            let group = &result.group_id;
            return self
                .complete
                .problem(format!("a result for group {group}, which no order opened"));
        };
        let Some(order) = self.expected.orders.get(&key) else { return };
        let check = if order.is_complete() { &mut self.complete } else { &mut self.partial };
        check.found += 1;
        if !self.seen_settled.insert(key) {
            check.problem(format!("order {key} was settled twice"));
        }
        if let Err(difference) = compare(order, result) {
            check.problem(format!("order {key}: {difference}"));
        }
    }

    /// A dead letter stands in a dead-letter topic.
    pub fn dead_letter(&mut self, stage: &str, line: &LineItem) {
        self.dead_letters.found += 1;
        let place = (line.order_key, line.line_number);
        if stage != "price" || !self.expected.dead_letters.contains(&place) {
            self.dead_letters.problem(format!("{place:?} was dead-lettered by {stage}"));
        }
        if !self.seen_dead.insert(place) {
            self.dead_letters.problem(format!("{place:?} was dead-lettered twice"));
        }
    }

    /// A late part stands in the late topic.
    pub fn late(&mut self, outcome: &PartOutcome) {
        self.late.found += 1;
        let place = self.lines.get(&(outcome.group_id.clone(), outcome.part_id.0)).copied();
        let expected = place.filter(|place| self.expected.late.contains(place));
        let Some(place) = expected.filter(|_| outcome.stage.as_str() == "supply") else {
            let (stage, part) = (&outcome.stage, outcome.part_id);
            return self.late.problem(format!("{place:?} (part {part} of {stage}) came late"));
        };
        if !self.seen_late.insert(place) {
            self.late.problem(format!("{place:?} came late twice"));
        }
    }

    /// A record stands where none must be.
    pub fn stray(&mut self, what: String) {
        self.strays.found += 1;
        self.strays.problem(what);
    }

    /// What the run came to.
    pub fn conclude(self) -> Report {
        let checks = vec![
            self.published,
            self.complete,
            self.partial,
            self.dead_letters,
            self.late,
            self.strays,
        ];
        Report { checks }
    }
}

/// How a result differs from what it must be.
fn compare(order: &ExpectedOrder, result: &GroupResult) -> Result<(), String> {
    same("expected parts", order.lines * 2, result.counts.expected)?;
    same("failed parts", order.failed, result.counts.failed)?;
    // An outcome of a line's second copy that comes when the order is closed is counted no more.
    if result.counts.duplicate > order.duplicated * 2 {
        let (most, found) = (order.duplicated * 2, result.counts.duplicate);
        return Err(format!("duplicate parts: at most {most} expected, {found} found"));
    }
    let missing: Vec<(&str, u32)> =
        result.missing.iter().map(|part| (part.stage.as_str(), part.part_id.0)).collect();
    same("missing parts", order.missing.iter().copied().collect::<Vec<_>>(), missing)?;
    let status = if order.is_complete() { GroupStatus::Complete } else { GroupStatus::Partial };
    same("status of the group", status, result.status)?;
    let payload = result.payload.as_ref().ok_or("the result has no payload")?;
    let codec = Codec::<SettledOrder>::shared().map_err(|error| error.to_string())?;
    let settled = codec.decode(payload).map_err(|error| error.to_string())?;
    if order.is_complete() {
        same("total price", order.total_price, settled.total_price)?;
        same("order status", order.status.as_str(), settled.status.as_str())?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("{what}: {expected:?} expected, {found:?} found"))
}
