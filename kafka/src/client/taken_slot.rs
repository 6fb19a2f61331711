//! A slot that was taken from this process. Two things do that, and the client's error is the same.
//!
//! Another process may have been given the slot too: that is a mistake, and this one must not take
//! the slot back, or the two would take it from each other for ever. Or a request to join, sent by
//! this very process or by the one before it, came late, when its sender had already joined by
//! another: then the slot belongs to a member that nobody is (librdkafka joins again under way to
//! a new coordinator of the group, and can't take the first request back). A member that nobody is
//! ends with its session. So the group is asked who has the slot until nobody has it.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use tracing::{debug, info};

use super::lookup::Lookup;
use super::side_thread::SideThread;
use crate::admin::Group;
use crate::{Failure, Remedy};

/// The code of a failure: another member of the group has the slot.
pub(super) const FENCED_INSTANCE_ID: &str = "FENCED_INSTANCE_ID";
/// Between two looks at the group.
const LOOK: Duration = Duration::from_secs(1);
/// After a look that failed: each costs the client some memory (`rd_kafka_list_groups`,
/// `ERR__PARTIAL`).
const LOOK_LATER: Duration = Duration::from_secs(10);
/// Beside its session: what a member that nobody is may have to wait for others to join again.
const MARGIN: Duration = Duration::from_secs(10);

/// A slot in a group.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) group: String,
    pub(super) name: String,
    /// How long its holder lives without a word.
    pub(super) session: Duration,
}

/// Waits, on a thread of its own, until nobody has a slot.
pub(super) struct TakenSlot {
    verdict: Receiver<Result<(), Failure>>,
    /// Dropped before the thread, which ends by that.
    _lane: Sender<()>,
    _thread: SideThread,
}

impl TakenSlot {
    pub(super) fn watch(slot: Slot, lookup: Arc<Lookup>) -> Result<Self, Failure> {
        let (lane, gone) = mpsc::channel();
        let (tell, verdict) = mpsc::channel();
        let look = move |slot: &Slot| Ok(holder(lookup.group(&slot.group)?.as_ref(), &slot.name));
        let watch = move || {
            // The lane may have gone.
            let _told = wait(slot, look, &gone).map(|it| tell.send(it));
        };
        let thread = SideThread::start("kafka-slot", watch)?;
        Ok(Self { verdict, _lane: lane, _thread: thread })
    }

    /// Whether nobody has the slot now; false while that isn't known.
    ///
    /// # Errors
    /// Somebody still has it who must be alive: [`Remedy::Stop`].
    pub(super) fn is_free(&self) -> Result<bool, Failure> {
        match self.verdict.try_recv() {
            Ok(verdict) => verdict.map(|()| true),
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Disconnected) => Err(Failure {
                remedy: Remedy::Stop,
                call: "describe_group",
                code: FENCED_INSTANCE_ID.to_owned(),
                message: "the thread that looks for the slot is gone; start the process again"
                    .to_owned(),
            }),
        }
    }
}

/// Who has a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    /// A member, as a user would look for it.
    Member(String),
    /// The group is on its way to another coordinator.
    Untold,
}

/// Looks until it is known what becomes of the slot. None if the lane has gone.
fn wait(
    slot: Slot,
    look: impl Fn(&Slot) -> Result<Holder, Failure>,
    gone: &Receiver<()>,
) -> Option<Result<(), Failure>> {
    let mut findings = Findings { slot, since: None, pause: LOOK };
    loop {
        let found = look(&findings.slot);
        if let Some(verdict) = findings.note(found, Instant::now()) {
            return Some(verdict);
        }
        if gone.recv_timeout(findings.pause) != Err(RecvTimeoutError::Timeout) {
            return None;
        }
    }
}

/// What the looks at the group have found so far.
struct Findings {
    slot: Slot,
    /// When somebody was found to have the slot first.
    since: Option<Instant>,
    /// Until the next look.
    pause: Duration,
}

impl Findings {
    /// Takes note of a look. What becomes of the slot, once that is known.
    fn note(
        &mut self,
        found: Result<Holder, Failure>,
        now: Instant,
    ) -> Option<Result<(), Failure>> {
        let Slot { group, name, session } = &self.slot;
        self.pause = LOOK;
        match found {
            Ok(Holder::Nobody) => {
                info!(group, slot = name, "nobody has the slot any more: joining again");
                return Some(Ok(()));
            }
            Ok(Holder::Member(member)) => {
                let had = now.duration_since(*self.since.get_or_insert(now));
                // A request that was late may be followed by another one.
                if had >= 2 * *session + MARGIN {
                    return Some(Err(is_taken(&self.slot, &member, had)));
                }
            }
            Ok(Holder::Untold) => debug!(group, "the group has no coordinator yet"),
            Err(failure) => {
                debug!(group, %failure, "the group can't be looked at");
                self.pause = LOOK_LATER;
            }
        }
        None
    }
}

/// The coordinator makes a static member's id of its slot, a hyphen and 36 characters (KIP-345,
/// Kafka's `generateMemberId`); the client tells of ids alone.
fn holder(group: Option<&Group>, slot: &str) -> Holder {
    let Some(group) = group else { return Holder::Nobody };
    const TOLD: [&str; 5] =
        ["Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Dead"];
    if !TOLD.contains(&group.state.as_str()) {
        return Holder::Untold;
    }
    let has_it = |id: &str| {
        let rest = id.strip_prefix(slot).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|it| it.len() == 36)
    };
    match group.members.iter().find(|member| has_it(&member.id)) {
        Some(member) => Holder::Member(member.to_string()),
        None => Holder::Nobody,
    }
}

fn is_taken(slot: &Slot, member: &str, had: Duration) -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "join",
        code: FENCED_INSTANCE_ID.to_owned(),
        message: format!(
            "slot {} of group {} was taken from this process by another ({member}), which has \
             been there for {} s since: give each process a slot of its own",
            slot.name,
            slot.group,
            had.as_secs(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::GroupMember;

    const UUID: &str = "0c2b0b2e-6f0b-4f0e-9d8e-1f2d3c4b5a69";

    fn group(state: &str, ids: &[String]) -> Group {
        let member = |id: &String| GroupMember {
            id: id.clone(),
            client_id: "longshore".to_owned(),
            host: "/10.0.0.7".to_owned(),
            assigned: Vec::new(),
        };
        Group {
            name: "g".to_owned(),
            state: state.to_owned(),
            strategy: String::new(),
            members: ids.iter().map(member).collect(),
        }
    }

    #[test]
    fn the_holder_is_told_by_its_id() {
        let [one, ten, none] = ["w-1", "w-10", "longshore"].map(|it| format!("{it}-{UUID}"));
        let all = [one.clone(), ten.clone(), none.clone()];
        let member = Holder::Member("longshore at 10.0.0.7".to_owned());
        for state in ["Stable", "PreparingRebalance", "CompletingRebalance"] {
            assert_eq!(holder(Some(&group(state, &all)), "w-1"), member, "{state}");
            assert_eq!(holder(Some(&group(state, &all[1..])), "w-1"), Holder::Nobody, "{state}");
            assert_eq!(holder(Some(&group(state, &all[..1])), "w"), Holder::Nobody, "{state}");
        }
        assert_eq!(holder(Some(&group("Empty", &[])), "w-1"), Holder::Nobody);
        assert_eq!(holder(None, "w-1"), Holder::Nobody, "a group that was never used is forgotten");
    }

    #[test]
    fn a_group_without_a_coordinator_says_nothing() {
        assert_eq!(holder(Some(&group("", &[])), "w-1"), Holder::Untold);
    }

    /// What becomes of a slot, and after how many seconds, if each look finds what is given.
    fn after(looks: impl Iterator<Item = Holder>) -> Option<(u32, Result<(), Failure>)> {
        let (group, name, session) = ("g".to_owned(), "w-1".to_owned(), 6 * LOOK);
        let slot = Slot { group, name, session };
        let mut findings = Findings { slot, since: None, pause: LOOK };
        let start = Instant::now();
        (0..).zip(looks).find_map(|(second, found)| {
            let verdict = findings.note(Ok(found), start + LOOK * second)?;
            Some((second, verdict))
        })
    }

    fn taken() -> Holder {
        Holder::Member("longshore at 10.0.0.7".to_owned())
    }

    #[test]
    fn it_waits_until_nobody_has_the_slot() {
        let looks = [taken(), Holder::Untold, taken(), Holder::Nobody];
        assert_eq!(after(looks.into_iter()), Some((3, Ok(()))));
    }

    #[test]
    fn who_is_there_for_longer_than_the_dead_can_be_is_another_process() {
        let looks = std::iter::once(Holder::Untold).chain(std::iter::repeat_with(taken));
        let (second, verdict) = after(looks.take(60)).expect("it waits for ever");
        let failure = verdict.expect_err("it is taken");
        assert_eq!((second, failure.remedy), (23, Remedy::Stop), "twice a session, and some time");
        let said = "slot w-1 of group g was taken from this process by another (longshore at \
                    10.0.0.7), which has been there for 22 s since: give each process a slot of \
                    its own";
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (FENCED_INSTANCE_ID, said));
    }

    #[test]
    fn looks_that_fail_are_rare() {
        let (group, name, session) = ("g".to_owned(), "w-1".to_owned(), LOOK);
        let mut findings =
            Findings { slot: Slot { group, name, session }, since: None, pause: LOOK };
        let failure = is_taken(&findings.slot, "nobody", LOOK);
        assert_eq!(findings.note(Err(failure), Instant::now()), None);
        assert_eq!(findings.pause, LOOK_LATER);
        assert_eq!(findings.note(Ok(Holder::Untold), Instant::now()), None);
        assert_eq!(findings.pause, LOOK);
    }
}
