//! What must come of an inbox: one gather that never crashed, and read it from end to end.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use anyhow::{Context, Result};
use bytes::Bytes;
use longshore_coordinator::gather::{Action, Closing, Effect, EndedPart, Gather, Rules};
use longshore_kafka::Record;
use longshore_schemas::records::{Closed, GroupResult, GroupStatus, InboxRecord};
use longshore_schemas::{Codec, GroupId, Origin, Revision, headers};

use crate::gathering::gathered;
use crate::subject::has_killers;

/// More of a payload isn't told.
const LINE_BYTES: usize = 100;

/// A partition of the inbox, read so far.
pub(crate) struct Oracle {
    gather: Gather,
    /// What must have come of it.
    lines: BTreeSet<String>,
}

impl Oracle {
    pub(crate) fn new(rules: Rules) -> Self {
        let mut gather = Gather::new(rules);
        let nothing = gather.resume();
        debug_assert!(nothing.is_empty(), "nothing was there before");
        Self { gather, lines: BTreeSet::new() }
    }

    pub(crate) fn read(&mut self, seed: u64, record: &Record) {
        let value = record.value.as_deref().unwrap_or_default();
        let Ok(decoded) = InboxRecord::decode(value) else {
            let (partition, offset) = (record.partition, record.offset);
            self.lines.insert(aside("undecodable", &format!("inbox/{partition}/{offset}/0")));
            return;
        };
        let appended = record.timestamp.unwrap_or_default();
        for effect in self.gather.absorb(record.offset.0, appended, decoded) {
            if let Some(hold) = effect.releases().cloned() {
                self.gather.settled(&hold);
            }
            self.lines.extend(line(seed, record, effect));
        }
    }

    /// What must have come of it; the same line twice would be a bug of its own.
    pub(crate) fn lines(&self) -> &BTreeSet<String> {
        &self.lines
    }

    /// Whether nothing is left that time alone would change.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.gather.open_count() == 0 && self.gather.waiting_count() == 0
    }
}

/// What can be read of an effect; what is carried shows nowhere.
fn line(seed: u64, record: &Record, effect: Effect) -> Option<String> {
    let place = |offset: i64| format!("inbox/{}/{offset}/0", record.partition);
    Some(match effect.action {
        Action::Carry(_) => return None,
        Action::Close(closing) => closed_line(seed, &closing),
        Action::Late(late) => aside(&format!("{:?}", late.cause), &place(late.offset)),
        Action::Conflict(conflict) => {
            aside(&format!("{:?}", conflict.cause), &place(conflict.offset))
        }
        Action::Orphan(orphan) => aside("Orphan", &place(orphan.offset)),
        Action::Cancel(cancel) => format!("cancel {} {}", cancel.group_id, cancel.revision),
    })
}

fn closed_line(seed: u64, closing: &Closing) -> String {
    if has_killers(seed) {
        return which(&closing.closed.group_id, closing.closed.revision);
    }
    let mut closed = closing.closed.clone();
    let read = |part: &EndedPart| part.payload.read().expect("the oracle spills nothing");
    let payloads = closing.parts.iter().filter_map(read);
    let payload = gathered(seed, &closed.group_id, payloads);
    if payload.is_none() {
        closed.status = GroupStatus::Failed;
    }
    let Closed { group_id, revision, status, completed_by, counts, missing, .. } = closed;
    let payload = shown(payload);
    format!(
        "result {group_id} {revision}: {status:?} by {completed_by:?}, {counts:?}, {missing:?}, \
         {payload}"
    )
}

/// A payload that is longer than a line is told by its beginning, its length and a hash.
fn shown(payload: Option<Bytes>) -> String {
    let long = payload.as_ref().filter(|payload| payload.len() > LINE_BYTES);
    match long {
        Some(payload) => {
            let mut hasher = DefaultHasher::new();
            hasher.write(payload);
            let (begins, hash) = (payload.slice(..LINE_BYTES / 2), hasher.finish());
            format!("{begins:?}..., {} bytes, {hash:016x}", payload.len())
        }
        None => format!("{payload:?}"),
    }
}

/// A record that kills is given up with all the groups that it closes: where there are killers, the
/// oracle doesn't say how a group ends.
fn which(group: &GroupId, revision: Revision) -> String {
    format!("result {group} {revision}")
}

fn aside(cause: &str, origin: &str) -> String {
    format!("aside {cause} {origin}")
}

/// What a result says, in the oracle's words.
pub(crate) fn result_line(seed: u64, record: &Record) -> Result<String> {
    let value = record.value.as_ref().context("a result without a value")?;
    let GroupResult { group_id, revision, status, completed_by, counts, missing, payload, .. } =
        Codec::<GroupResult>::shared()?.decode(value)?;
    if has_killers(seed) {
        return Ok(which(&group_id, revision));
    }
    let payload = shown(payload);
    Ok(format!(
        "result {group_id} {revision}: {status:?} by {completed_by:?}, {counts:?}, {missing:?}, \
         {payload}"
    ))
}

/// What a record says that was set aside.
pub(crate) fn aside_line(record: &Record) -> Result<String> {
    let cause = record.headers.text(headers::ERROR_CLASS).context("set aside without a cause")?;
    let origin: Origin = record.headers.parse(headers::ORIGIN).context("set aside from nowhere")?;
    Ok(aside(cause, &origin.to_string()))
}

/// What a cancellation says.
pub(crate) fn cancel_line(record: &Record) -> Result<String> {
    let group = record.headers.text(headers::GROUP).context("a cancellation of no group")?;
    let revision = record.headers.text(headers::REVISION).context("of no revision")?;
    Ok(format!("cancel {group} {revision}"))
}
