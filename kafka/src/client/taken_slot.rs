//! A slot that was taken from this process. Two things do that, and the client's error is the same.
//!
//! Another process may have been given the slot too: that is a mistake, and this one must not take
//! the slot back, or the two would take it from each other for ever. Or a request to join, sent by
//! this very process or by the one before it, came late, when its sender had already joined by
//! another: then the slot belongs to a member that nobody is (librdkafka joins again under way to
//! a new coordinator of the group, and can't take the first request back). A member that nobody is
//! ends with its session. So the group's coordinator is asked who has the slot until nobody has it.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use super::lookup::Lookup;
use super::native::Holder;
use super::side_thread::SideThread;
use crate::{Failure, Remedy};

/// The code of a failure: another member of the group has the slot.
pub(super) const FENCED_INSTANCE_ID: &str = "FENCED_INSTANCE_ID";
/// Between two looks at the group.
const LOOK: Duration = Duration::from_secs(1);
/// Beside two sessions: the second because a coordinator counts a session anew when it takes the
/// group over, which may happen between two looks.
const MARGIN: Duration = Duration::from_secs(10);
/// However often the slot changes hands.
const TAKEN_MAX: Duration = Duration::from_secs(900);
/// How often it is said that the slot is waited for.
const SAID: Duration = Duration::from_secs(60);

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
        let look = move |slot: &Slot| lookup.holder(&slot.group, &slot.name);
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

/// Looks until it is known what becomes of the slot. None if the lane has gone.
fn wait(
    slot: Slot,
    look: impl Fn(&Slot) -> Result<Holder, Failure>,
    gone: &Receiver<()>,
) -> Option<Result<(), Failure>> {
    let mut said = Instant::now();
    let mut findings = Findings { slot, begun: None, same: None };
    loop {
        let found = look(&findings.slot);
        if said.elapsed() >= SAID {
            said = Instant::now();
            let Slot { group, name, .. } = &findings.slot;
            warn!(group, slot = name, ?found, "still waits until nobody has the slot");
        }
        if let Some(verdict) = findings.note(found, Instant::now()) {
            return Some(verdict);
        }
        if gone.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return None;
        }
    }
}

/// What the looks at the group have found so far.
struct Findings {
    slot: Slot,
    /// When somebody was found to have the slot first.
    begun: Option<Instant>,
    /// Who has had it in every look since then, in a group that was at rest.
    same: Option<(String, Instant)>,
}

impl Findings {
    /// Takes note of a look. What becomes of the slot, once that is known.
    fn note(
        &mut self,
        found: Result<Holder, Failure>,
        now: Instant,
    ) -> Option<Result<(), Failure>> {
        let Slot { group, name, session } = &self.slot;
        match found {
            Ok(Holder::Nobody) => {
                info!(group, slot = name, "nobody has the slot any more: joining again");
                Some(Ok(()))
            }
            Ok(Holder::Member { id, client, host, is_settled }) => {
                let begun = *self.begun.get_or_insert(now);
                let same = self.same.take().filter(|(before, _)| is_settled && *before == id);
                let (id, since) = same.unwrap_or((id, now));
                self.same = Some((id, since));
                // Who is dead doesn't live longer than that.
                let lives = now.duration_since(since) >= 2 * *session + MARGIN;
                let had = now.duration_since(begun);
                (lives || had >= TAKEN_MAX)
                    .then(|| Err(is_taken(&self.slot, &client, host.trim_start_matches('/'), had)))
            }
            Err(failure) if failure.remedy == Remedy::Stop => Some(Err(failure)),
            Err(failure) => {
                debug!(group, %failure, "the group can't be looked at");
                self.same = None;
                None
            }
        }
    }
}

fn is_taken(slot: &Slot, client: &str, host: &str, had: Duration) -> Failure {
    Failure {
        remedy: Remedy::Stop,
        call: "join",
        code: FENCED_INSTANCE_ID.to_owned(),
        message: format!(
            "slot {} of group {} was taken from this process by another ({client} at {host}), and \
             has been for {} s: give each process a slot of its own",
            slot.name,
            slot.group,
            had.as_secs(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a slot, and after how many seconds, if each look finds what is given.
    fn after(
        looks: impl Iterator<Item = Result<Holder, Failure>>,
    ) -> Option<(u32, Result<(), Failure>)> {
        let (group, name, session) = ("g".to_owned(), "w-1".to_owned(), 6 * LOOK);
        let slot = Slot { group, name, session };
        let mut findings = Findings { slot, begun: None, same: None };
        let start = Instant::now();
        (0..).zip(looks).find_map(|(second, found)| {
            let verdict = findings.note(found, start + LOOK * second)?;
            Some((second, verdict))
        })
    }

    fn taken_by(id: &str, is_settled: bool) -> Result<Holder, Failure> {
        let [id, client, host] = [id, "longshore", "/10.0.0.7"].map(str::to_owned);
        Ok(Holder::Member { id, client, host, is_settled })
    }

    fn untold(remedy: Remedy) -> Result<Holder, Failure> {
        let (code, message) = ("NOT_COORDINATOR".to_owned(), String::new());
        Err(Failure { remedy, call: "describe_group", code, message })
    }

    /// After how many seconds another process is believed in.
    fn stops(looks: impl Iterator<Item = Result<Holder, Failure>>) -> Option<u32> {
        let (second, verdict) = after(looks.take(3_000))?;
        verdict.is_err().then_some(second)
    }

    #[test]
    fn it_waits_until_nobody_has_the_slot() {
        let looks = [taken_by("a", true), untold(Remedy::Retry), Ok(Holder::Nobody)];
        assert_eq!(after(looks.into_iter()), Some((2, Ok(()))));
    }

    #[test]
    fn who_is_there_for_longer_than_the_dead_can_be_is_another_process() {
        let looks = std::iter::repeat_with(|| taken_by("a", true));
        let (second, verdict) = after(looks.take(60)).expect("it waits for ever");
        let failure = verdict.expect_err("it is taken");
        assert_eq!((second, failure.remedy), (22, Remedy::Stop), "twice a session, and some time");
        let said = "slot w-1 of group g was taken from this process by another (longshore at \
                    10.0.0.7), and has been for 22 s: give each process a slot of its own";
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (FENCED_INSTANCE_ID, said));
    }

    #[test]
    fn time_in_which_the_dead_may_live_on_does_not_count() {
        let alive = || std::iter::repeat_with(|| taken_by("a", true));
        let moving = std::iter::repeat_with(|| taken_by("a", false)).take(30);
        assert_eq!(stops(moving.chain(alive())), Some(29 + 22), "while the group rebalances");
        let away = alive().take(20).chain([untold(Remedy::Retry)]);
        assert_eq!(stops(away.chain(alive())), Some(21 + 22), "before a coordinator took over");
        let before = std::iter::repeat_with(|| taken_by("b", true)).take(20);
        assert_eq!(stops(before.chain(alive())), Some(20 + 22), "of another member");
    }

    #[test]
    fn it_does_not_wait_for_ever() {
        let mut turn = 0;
        let others = std::iter::repeat_with(|| {
            turn += 1;
            taken_by(&turn.to_string(), true)
        });
        assert_eq!(stops(others), Some(900), "one after the other");
        assert_eq!(
            stops(std::iter::repeat_with(|| untold(Remedy::Stop))),
            Some(0),
            "no permission"
        );
    }
}
