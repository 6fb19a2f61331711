//! A history: everything that is decided beforehand about a run.

use std::fmt;
use std::time::Duration;

use longshore_kafka::Remedy;
use longshore_kafka::model::{Call, Fault, Held};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::action::{Action, Slot};
use crate::subject::has_killers;

/// Actions of a history, at most.
const ACTIONS_MAX: usize = 60;
/// The lane's own calls wait so long before they answer that they may be repeated: what is late by
/// more than that arrives in a later transaction.
const LATE_MILLIS: [u64; 5] = [50, 1_020, 1_050, 1_100, 1_200];

/// A lane gives a call up after ten seconds, and the broker a transaction after fifteen.
const STALL_MILLIS: std::ops::Range<u64> = 9_900..14_000;
/// Right when a call has been given up.
const STALL_MILLIS_CLOSE: std::ops::Range<u64> = 9_990..10_150;

/// Of so many histories, one has no misfortune but that partitions change hands.
const CALM_ONE_IN: u64 = 8;

/// What the lanes of a history do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// They work on items, as a stage's do.
    Stage,
    /// They gather outcomes, as a join's do.
    Join,
}

/// Everything that is decided beforehand: the same history always runs alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Decides what the records are and what the handlers do with each, and all that the model
    /// leaves open.
    pub seed: u64,
    /// What is run.
    pub subject: Subject,
    /// Partitions of the input.
    pub partitions: i32,
    /// Processes, at most.
    pub slots: usize,
    /// Whether a process takes on its predecessor's place in the group (static membership).
    pub named_slots: bool,
    /// The longest that a call takes.
    pub call_max: Duration,
    /// What happens, in order. Then everything heals, and all must come to its end.
    pub actions: Vec<Action>,
}

impl History {
    /// The history of this seed.
    pub fn of(subject: Subject, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let slots = rng.random_range(1..=3);
        let mut misfortunes = Misfortunes::draw(&mut rng);
        if has_killers(seed) {
            // Whoever dies besides would cast suspicion on the innocent.
            misfortunes.kinds.retain(|kind| kind.is_harmless());
        }
        if seed % CALM_ONE_IN == 3 {
            misfortunes.kinds = vec![Kind::Rebalance, Kind::Expire];
        }
        let length = rng.random_range(10..=ACTIONS_MAX);
        let mut actions: Vec<Action> = (0..slots).map(Action::Start).collect();
        actions.push(Action::Publish(rng.random_range(1..8)));
        actions.extend((0..length).map(|_| action(&mut rng, &misfortunes, slots)));
        Self {
            seed,
            subject,
            partitions: rng.random_range(1..=3),
            slots,
            named_slots: rng.random_bool(0.3),
            call_max: Duration::from_millis(rng.random_range(0..4) * 5),
            actions,
        }
    }
}

impl History {
    /// How many records are written to the input, at most.
    pub(crate) fn records(&self) -> usize {
        let written = self.actions.iter().map(|action| match action {
            Action::Publish(count) | Action::PublishAborted(count) => *count,
            _ => 0,
        });
        written.sum()
    }

    /// Whether nothing happens in it that makes a lane do anything again: processes come and go in
    /// order, partitions change hands.
    pub(crate) fn is_calm(&self) -> bool {
        self.actions.iter().all(|action| match action {
            Action::Publish(_)
            | Action::PublishAborted(_)
            | Action::Turns(_)
            | Action::Start(_)
            | Action::Rebalance
            | Action::Clock(..)
            | Action::Expire => true,
            Action::Pass(time) => *time < Duration::from_millis(200),
            _ => false,
        })
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, subject, partitions, slots, named_slots, call_max, actions } = self;
        let named = if *named_slots { ", named to the group" } else { "" };
        writeln!(
            f,
            "{subject:?}, seed {seed}: {partitions} partitions, {slots} slots{named}, calls of up \
             to {call_max:?}"
        )?;
        for (number, action) in actions.iter().enumerate() {
            writeln!(f, "{:4}  {action}", number + 1)?;
        }
        Ok(())
    }
}

/// What goes wrong in a history. Each history has some kinds of misfortune and is spared the
/// others: if all were at work all the time, none would ever come far.
struct Misfortunes {
    kinds: Vec<Kind>,
    faults: Vec<(Call, Fault)>,
    /// Of how many actions one is a misfortune.
    one_in: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    Freeze,
    Drain,
    Rebalance,
    Expel,
    TakeSlot,
    FallBehind,
    Fault,
    Stall,
    Markers,
    Expire,
    Clock,
    LongPause,
    Alone,
    AbortedInput,
}

impl Kind {
    /// Whether nobody dies of it, or is taken for dead.
    fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::Drain | Self::Rebalance | Self::Expire | Self::Clock | Self::AbortedInput
        )
    }
}

impl Misfortunes {
    fn draw(rng: &mut SmallRng) -> Self {
        use Kind::{
            AbortedInput, Alone, Clock, Crash, Drain, Expel, Expire, FallBehind, Fault, Freeze,
            LongPause, Markers, Rebalance, Stall, TakeSlot,
        };
        let all = [
            Crash,
            Freeze,
            Drain,
            Rebalance,
            Expel,
            TakeSlot,
            FallBehind,
            Fault,
            Fault,
            Markers,
            Expire,
            Clock,
            LongPause,
            Alone,
            AbortedInput,
            Stall,
        ];
        let mut kinds = all.to_vec();
        kinds.retain(|_| rng.random_bool(0.4));
        let mut faults = all_faults();
        let share = rng.random_range(0.1..1.0);
        faults.retain(|_| rng.random_bool(share));
        Self { kinds, faults, one_in: rng.random_range(2..6) }
    }
}

fn all_faults() -> Vec<(Call, Fault)> {
    let mut faults = vec![
        (Call::Poll, Fault::Crash),
        (Call::Poll, Fault::Fails(Remedy::Retry)),
        (Call::Locate, Fault::Fails(Remedy::Retry)),
        (Call::Locate, Fault::Crash),
        (Call::Ready, Fault::Fails(Remedy::Rebuild)),
        (Call::Ready, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Ready, Fault::Crash),
        (Call::Begin, Fault::Fails(Remedy::Rebuild)),
        (Call::Begin, Fault::Crash),
        (Call::Produce, Fault::Fails(Remedy::Abort)),
        (Call::Produce, Fault::QueueFull),
        (Call::Produce, Fault::SessionLost),
        (Call::Produce, Fault::BrokerError),
        (Call::Produce, Fault::Crash),
        (Call::Deliveries, Fault::Fails(Remedy::Retry)),
        (Call::Deliveries, Fault::Fails(Remedy::Abort)),
        (Call::Deliveries, Fault::Crash),
        (Call::SendProgress, Fault::Fails(Remedy::Abort)),
        (Call::SendProgress, Fault::Fails(Remedy::Retry)),
        (Call::SendProgress, Fault::AnswerLost(Remedy::Retry)),
        (Call::SendProgress, Fault::Slow(Duration::from_secs(20))),
        (Call::SendProgress, Fault::SessionLost),
        (Call::SendProgress, Fault::BrokerError),
        (Call::SendProgress, Fault::Crash),
        (Call::Commit, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Commit, Fault::AnswerLost(Remedy::Retry)),
        (Call::Commit, Fault::Fails(Remedy::Rebuild)),
        (Call::Commit, Fault::Fails(Remedy::Retry)),
        (Call::Commit, Fault::Slow(Duration::from_secs(20))),
        (Call::Commit, Fault::SessionLost),
        (Call::Commit, Fault::Crash),
        (Call::Abort, Fault::AnswerLost(Remedy::Rebuild)),
        (Call::Abort, Fault::Fails(Remedy::Rebuild)),
        (Call::Abort, Fault::Crash),
    ];
    for call in [Call::SendProgress, Call::Commit, Call::Abort] {
        let late = LATE_MILLIS.map(Duration::from_millis);
        faults.extend(late.map(|after| (call, Fault::Late(after))));
    }
    faults
}

fn action(rng: &mut SmallRng, misfortunes: &Misfortunes, slots: usize) -> Action {
    let kind = misfortunes.kinds.choose(rng).filter(|_| rng.random_ratio(1, misfortunes.one_in));
    if let Some(kind) = kind {
        let slot = rng.random_range(0..slots);
        return misfortune(rng, *kind, &misfortunes.faults, slot);
    }
    match rng.random_range(0..10) {
        0..=2 => Action::Publish(rng.random_range(1..6)),
        3 => Action::Start(rng.random_range(0..slots)),
        4 => Action::Pass(Duration::from_millis(rng.random_range(1..200))),
        _ => Action::Turns(rng.random_range(1..12)),
    }
}

fn misfortune(rng: &mut SmallRng, kind: Kind, faults: &[(Call, Fault)], slot: Slot) -> Action {
    match kind {
        Kind::Crash => Action::Crash(slot),
        Kind::Freeze if rng.random() => Action::Thaw,
        Kind::Freeze => Action::Freeze(slot),
        Kind::Drain => Action::Drain(slot),
        Kind::Rebalance => Action::Rebalance,
        Kind::Expel => Action::Expel(slot),
        Kind::TakeSlot => Action::TakeSlot(slot),
        Kind::FallBehind => Action::FallBehind(slot),
        Kind::Fault => match faults.choose(rng) {
            Some(&(call, fault)) => Action::Fault(slot, call, fault),
            None => Action::Rebalance,
        },
        Kind::Stall => {
            let calls = [Call::SendProgress, Call::Commit, Call::Abort];
            let call = calls.choose(rng).copied().unwrap_or(Call::Commit);
            let close = rng.random();
            let millis = if close { STALL_MILLIS_CLOSE } else { STALL_MILLIS };
            Action::Stall(slot, call, rng.random_range(millis))
        }
        Kind::Markers if rng.random() => {
            let held = [Held::All, Held::OfRecords, Held::OfProgress];
            Action::HoldMarkers(held.choose(rng).copied().unwrap_or(Held::All))
        }
        Kind::Markers => Action::ReleaseMarkers,
        Kind::Expire => Action::Expire,
        Kind::Clock => Action::Clock(slot, rng.random_range(-60_000..60_000)),
        Kind::LongPause => Action::Pass(Duration::from_secs(rng.random_range(1..150))),
        Kind::Alone => Action::TurnsOf(slot, rng.random_range(1..12)),
        Kind::AbortedInput => Action::PublishAborted(rng.random_range(1..4)),
    }
}
