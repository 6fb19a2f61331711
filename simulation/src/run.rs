//! Runs a history, and shortens one that fails.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use anyhow::{Result, anyhow};
use longshore_kafka::model::Seen;

use crate::fleet::Fleet;
use crate::history::{History, Subject};
use crate::join::Join;
use crate::stage::Stage;
use crate::subject::Simulated;

/// How it is told at which action a history failed.
const AT: &str = "at ";
/// How a panic is told.
const PANIC: &str = "a panic: ";

/// What a history came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the cluster has seen.
    pub seen: Seen,
    /// Lanes that stopped with an error: killed at a call, or told that another has their place.
    pub stopped: u64,
    /// Of a stage: items given up because they killed. Of a join: groups carried into the journal.
    pub rare: u64,
    /// Of a join: groups that were gathered from payloads in a spill file.
    pub spilled: u64,
}

/// Runs a history to its end.
///
/// # Errors
/// The first invariant that didn't hold, with its name, and what was found instead.
pub fn run(history: &History) -> Result<Report> {
    keep_panics_to_ourselves();
    RUNNING.set(true);
    let ran = catch_unwind(AssertUnwindSafe(|| match history.subject {
        Subject::Stage => run_subject::<Stage>(history),
        Subject::Join => run_subject::<Join>(history),
    }));
    RUNNING.set(false);
    ran.unwrap_or_else(|_| Err(anyhow!("{PANIC}{}", LAST_PANIC.with_borrow(Clone::clone))))
}

fn run_subject<S: Simulated>(history: &History) -> Result<Report> {
    let mut fleet = Fleet::<S>::new(history);
    for (index, action) in history.actions.iter().enumerate() {
        let performed = fleet.perform(*action);
        performed.map_err(|error| error.context(format!("{AT}{}: {action}", index + 1)))?;
    }
    fleet.come_to_its_end()?;
    Ok(Report {
        seen: fleet.cluster().seen(),
        stopped: fleet.stopped(),
        rare: fleet.rare(),
        spilled: fleet.spilled(),
    })
}

/// A history as short as can be that fails as this one does, by leaving out actions: first halves,
/// then ever smaller runs (delta debugging, Zeller 1999), until each that is left is needed.
pub fn shorten(history: &History) -> History {
    shorten_by(history, run)
}

/// The same where it is this that a history is run by.
fn shorten_by<T>(history: &History, run: impl Fn(&History) -> Result<T>) -> History {
    let failure = |history: &History| run(history).err().map(|error| kind(&error));
    let mut shortest = history.clone();
    let Some(wanted) = failure(history) else {
        return shortest;
    };
    let mut run_length = shortest.actions.len().div_ceil(2).max(1);
    loop {
        let before = shortest.actions.len();
        let mut from = 0;
        while from < shortest.actions.len() {
            let mut shorter = shortest.clone();
            let to = (from + run_length).min(shorter.actions.len());
            shorter.actions.drain(from..to);
            if failure(&shorter).as_ref() == Some(&wanted) {
                shortest = shorter;
            } else {
                from = to;
            }
        }
        // What was left out last may have been all that others were needed for.
        if run_length == 1 && shortest.actions.len() == before {
            return shortest;
        }
        run_length = (run_length / 2).max(1);
    }
}

/// Which failure it is, whenever it happens and whatever the figures: the name of an invariant, or
/// where a panic was.
fn kind(error: &anyhow::Error) -> String {
    let mut messages = error.chain().map(ToString::to_string);
    let what = messages.find(|message| !message.starts_with(AT)).unwrap_or_default();
    let end = if what.starts_with(PANIC) { what.find('\n') } else { what.find(':') };
    what[..end.unwrap_or(what.len())].to_owned()
}

thread_local! {
    /// Whether this thread runs a history.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// Where its last panic was, and what it said.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Handlers panic on purpose, thousands of times: a panic is told only if a history fails by it.
fn keep_panics_to_ourselves() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if RUNNING.get() {
                LAST_PANIC.with_borrow_mut(|last| *last = panic.to_string());
            } else {
                others(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::{bail, ensure};

    use super::*;
    use crate::action::Action;

    /// Whether these happen in the history, in this order.
    fn has(history: &History, wanted: &[Action]) -> bool {
        let mut left = wanted.iter().peekable();
        for action in &history.actions {
            left.next_if_eq(&action);
        }
        left.peek().is_none()
    }

    /// Two misfortunes somewhere in the history of this seed.
    fn with_two(seed: u64) -> (History, [Action; 2]) {
        let mut history = History::of(Subject::Stage, seed);
        let two = [Action::Expel(7), Action::Pass(Duration::from_secs(7_777))];
        let length = history.actions.len();
        history.actions.insert(length / 2, two[1]);
        history.actions.insert(seed as usize % (length / 2), two[0]);
        (history, two)
    }

    #[test]
    fn a_history_is_shortened_to_what_it_needs_to_fail() {
        for seed in 0..50 {
            let (history, two) = with_two(seed);
            let fails = |history: &History| {
                ensure!(!has(history, &two), "EO-1: {} actions", history.actions.len());
                Ok(())
            };
            assert_eq!(shorten_by(&history, fails).actions, two);
        }
    }

    #[test]
    fn a_shorter_history_that_fails_otherwise_is_another_one() {
        for seed in 0..50 {
            let (history, two) = with_two(seed);
            let fails = |history: &History| -> Result<()> {
                let at = format!("{AT}{}: somewhere", history.actions.len());
                ensure!(!has(history, &two), anyhow!("EO-1: both").context(at));
                bail!("EO-2: not both")
            };
            assert_eq!(shorten_by(&history, fails).actions, two);
        }
    }

    #[test]
    fn what_holds_is_not_shortened() {
        let history = History::of(Subject::Join, 1);
        assert_eq!(shorten(&history), history);
    }

    /// As if nobody might ever be fenced.
    fn run_without_fences(history: &History) -> Result<Report> {
        let report = run(history)?;
        ensure!(report.seen.fenced == 0, "NN-1: {} were fenced", report.seen.fenced);
        Ok(report)
    }

    #[test]
    fn every_action_of_a_shortened_history_is_needed_and_it_fails_alike() {
        for subject in [Subject::Stage, Subject::Join] {
            let histories = (0..1_000).map(|seed| History::of(subject, seed));
            let mut failing = histories.filter(|history| run_without_fences(history).is_err());
            for history in [(); 3].map(|()| failing.next().expect("of a thousand some do")) {
                let shortest = shorten_by(&history, run_without_fences);
                assert!(shortest.actions.len() < history.actions.len(), "{history}");
                let failure = run_without_fences(&shortest).expect_err("it fails alike");
                assert_eq!(kind(&failure), "NN-1", "{failure:#}");
                for left_out in 0..shortest.actions.len() {
                    let mut shorter = shortest.clone();
                    shorter.actions.remove(left_out);
                    if let Err(error) = run_without_fences(&shorter) {
                        assert_ne!(
                            kind(&error),
                            "NN-1",
                            "{shortest}: {} isn't needed",
                            left_out + 1
                        );
                    }
                }
            }
        }
    }
}
