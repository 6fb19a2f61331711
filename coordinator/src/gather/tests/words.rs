//! The words in which the tests speak: outcomes as short tokens, effects as one line.
//!
//! `+p0` is part 0 of `price`, DONE; `~s1` part 1 of `stock`, SKIPPED; `!s1` FAILED; `+s1@2`
//! attempt 2; `+p0'` the same part with other content. Stages: p(rice), s(tock), and x(tra), which
//! is no stage of the join.

use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::records::{
    Expect, ExpectedPart, GroupOpen, GroupSeal, InboxRecord, PartError, PartOutcome, PartStatus,
    Tick,
};
use longshore_schemas::{GroupId, PartId, Revision, Timestamp};

use crate::gather::{
    Action, Closing, Effect, Gather, OnFailed, OnLate, OnTimeout, Rules, Tolerate,
};

/// The life of every group, in milliseconds.
pub(super) const TIMEOUT: i64 = 1_000;
/// How long a part without a group waits, in milliseconds.
pub(super) const ORPHAN_TIMEOUT: i64 = 200;

pub(super) fn millis(millis: i64) -> Duration {
    Duration::from_millis(millis.try_into().unwrap())
}

pub(super) fn rules(when: &str) -> Rules {
    Rules {
        of: vec!["price".into(), "stock".into()],
        when: when.parse().unwrap(),
        tolerate: Tolerate::default(),
        on_failed: OnFailed::Include,
        on_timeout: OnTimeout::Partial,
        late: OnLate::Topic,
        timeout: millis(TIMEOUT),
        orphan_timeout: millis(ORPHAN_TIMEOUT),
        closed_retention: millis(10 * TIMEOUT),
        closed_marks_max: 1_000,
        parts_max: 100,
        open_bytes_max: 1 << 20,
        spill_bytes_max: 0,
        replay_max: 1_000_000,
        replay_age_max: millis(i64::MAX),
    }
}

pub(super) fn open(group: &str, revision: u32, expect: Expect) -> InboxRecord {
    InboxRecord::Open(GroupOpen {
        group_id: group.into(),
        run_id: None,
        revision: Revision(revision),
        opened_at: Timestamp(0),
        timeout: millis(TIMEOUT),
        expect,
        parent: None,
    })
}

pub(super) fn seal(group: &str, revision: u32, total: u32) -> InboxRecord {
    InboxRecord::Seal(GroupSeal { group_id: group.into(), revision: Revision(revision), total })
}

pub(super) fn tick() -> InboxRecord {
    InboxRecord::Tick(Tick { at: Timestamp(0), owner: "owner".into() })
}

pub(super) fn part(group: &str, revision: u32, token: &str) -> InboxRecord {
    InboxRecord::Outcome(outcome(group, revision, token))
}

pub(super) fn outcome(group: &str, revision: u32, token: &str) -> PartOutcome {
    let (name, attempt) = token.trim_end_matches('\'').split_once('@').unwrap_or((token, "0"));
    let status = match &name[..1] {
        "+" => PartStatus::Done,
        "~" => PartStatus::Skipped,
        "!" => PartStatus::Failed,
        other => panic!("unknown status {other}"),
    };
    let content = name[1..].to_string();
    PartOutcome {
        group_id: group.into(),
        revision: Revision(revision),
        opened_at: Timestamp(0),
        stage: stage(&name[1..2]).into(),
        part_id: PartId(name[2..].trim_end_matches('\'').parse().unwrap()),
        attempt: attempt.parse().unwrap(),
        status,
        payload: (status == PartStatus::Done).then(|| Bytes::from(content.clone())),
        error: (status == PartStatus::Failed)
            .then(|| PartError { class: "poison".into(), message: content }),
    }
}

pub(super) fn listed(tokens: &[&str]) -> Expect {
    let named = |token: &&str| ExpectedPart {
        stage: stage(&token[..1]).into(),
        part_id: PartId(token[1..].parse().unwrap()),
    };
    Expect::Parts(tokens.iter().map(named).collect())
}

fn stage(letter: &str) -> &'static str {
    match letter {
        "p" => "price",
        "s" => "stock",
        "x" => "xtra",
        other => panic!("unknown stage {other}"),
    }
}

/// A partition that is fed record by record, each a millisecond after the last unless told.
pub(super) struct Partition {
    pub(super) gather: Gather,
    pub(super) effects: Vec<Effect>,
    pub(super) next: i64,
    pub(super) now: i64,
}

impl Partition {
    pub(super) fn new(rules: Rules) -> Self {
        let mut gather = Gather::new(rules);
        assert_eq!(gather.resume(), []);
        Self { gather, effects: vec![], next: 0, now: 0 }
    }

    pub(super) fn feed(&mut self, record: InboxRecord) -> Vec<String> {
        self.now += 1;
        let effects = self.gather.absorb(self.next, Timestamp(self.now), record);
        assert!(effects.iter().all(|effect| effect.at == Some(self.next)));
        self.next += 1;
        self.effects.extend(effects.iter().cloned());
        effects.iter().map(line).collect()
    }

    /// Feeds the record with this append time.
    pub(super) fn feed_at(&mut self, appended: i64, record: InboxRecord) -> Vec<String> {
        self.now = appended - 1;
        self.feed(record)
    }

    pub(super) fn parts(&mut self, group: &str, tokens: &str) -> Vec<String> {
        tokens.split_whitespace().flat_map(|token| self.feed(part(group, 1, token))).collect()
    }

    /// All effects so far are in a committed transaction.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        let effects = std::mem::take(&mut self.effects);
        effects.iter().filter_map(Effect::releases).for_each(|hold| self.gather.settled(hold));
        effects
    }

    pub(super) fn low(&self) -> i64 {
        self.gather.low(self.next, &Default::default())
    }

    pub(super) fn is_open(&self, group: &str) -> bool {
        self.gather.group(&GroupId::from(group)).is_some()
    }
}

/// An effect on one line: `complete by all: +p0 +s0`, `late +s1`, `conflict +p0'`.
pub(super) fn line(effect: &Effect) -> String {
    match &effect.action {
        Action::Close(closing) => closing_line(closing),
        Action::Late(late) => format!("late {}", token(&late.outcome)),
        Action::Conflict(conflict) => match &conflict.record {
            InboxRecord::Outcome(outcome) => {
                format!("conflict {:?} {}", conflict.cause, token(outcome))
            }
            _ => format!("conflict {:?}", conflict.cause),
        },
        Action::Orphan(orphan) => format!("orphan {}", token(&orphan.outcome)),
        Action::Cancel(_) => "cancel".into(),
        Action::Carry(carry) => format!("carry {}", carry.carried.opening.group_id),
    }
}

/// `complete by all: +p0 +s0`, with the missing parts as `-s1`.
pub(super) fn closing_line(closing: &Closing) -> String {
    let closed = &closing.closed;
    let status = format!("{:?} by {:?}:", closed.status, closed.completed_by).to_lowercase();
    let parts = closing.parts.iter().map(|part| {
        let content = part.payload.read().unwrap();
        let other = if content.is_some_and(|text| text.ends_with(b"'")) { "'" } else { "" };
        let name = format!("{}{}", &part.stage.as_str()[..1], part.part_id);
        format!("{}{name}{other}", sign(part.status))
    });
    let missing =
        closed.missing.iter().map(|part| format!("-{}{}", &part.stage.as_str()[..1], part.part_id));
    std::iter::once(status).chain(parts).chain(missing).collect::<Vec<_>>().join(" ")
}

fn token(outcome: &PartOutcome) -> String {
    let other = match &outcome.payload {
        Some(content) if content.ends_with(b"'") => "'",
        _ => "",
    };
    let stage = &outcome.stage.as_str()[..1];
    format!("{}{stage}{}{other}", sign(outcome.status), outcome.part_id)
}

fn sign(status: PartStatus) -> char {
    match status {
        PartStatus::Done => '+',
        PartStatus::Skipped => '~',
        PartStatus::Failed => '!',
    }
}
