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

/// What a history came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the cluster has seen.
    pub seen: Seen,
    /// Lanes that stopped with an error: killed at a call, or told that another has their place.
    pub stopped: u64,
    /// Of a stage: items given up because they killed. Of a join: groups carried into the journal.
    pub rare: u64,
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
    ran.unwrap_or_else(|_| Err(anyhow!("a panic: {}", LAST_PANIC.with_borrow(Clone::clone))))
}

fn run_subject<S: Simulated>(history: &History) -> Result<Report> {
    let mut fleet = Fleet::<S>::new(history);
    for (index, action) in history.actions.iter().enumerate() {
        let performed = fleet.perform(*action);
        performed.map_err(|error| error.context(format!("at {}: {action}", index + 1)))?;
    }
    fleet.come_to_its_end()?;
    let (seen, stopped, rare) = (fleet.cluster().seen(), fleet.stopped(), fleet.rare());
    Ok(Report { seen, stopped, rare })
}

/// A history as short as can be that fails as this one does, by leaving out actions: first halves,
/// then ever smaller runs (delta debugging, Zeller 1999).
pub fn shorten(history: &History) -> History {
    let mut shortest = history.clone();
    let mut run_length = shortest.actions.len().div_ceil(2);
    while run_length > 0 {
        let mut from = 0;
        while from < shortest.actions.len() {
            let mut shorter = shortest.clone();
            let to = (from + run_length).min(shorter.actions.len());
            shorter.actions.drain(from..to);
            if run(&shorter).is_err() {
                shortest = shorter;
            } else {
                from = to;
            }
        }
        run_length /= 2;
    }
    shortest
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
