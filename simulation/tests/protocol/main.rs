//! The protocol of transactions as a lane speaks it with Kafka, checked in all of its states: two
//! lanes, two partitions, and requests that arrive when nobody waits for them any more. With each
//! of a lane's rules nothing is torn, doubled or taken back; without any one of them something is.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod fleet;
mod kafka;
mod lane;
mod rules;

use fleet::{Budget, Fleet};
use rules::{Rules, Unknown};
use stateright::{Checker, Model};

/// Lanes, each with a transactional id and a membership of its own.
const LANES: usize = 2;
/// Partitions of their topic.
const PARTITIONS: usize = 2;
/// Items of a partition.
const ITEMS: u8 = 2;

const EO_1: &str = "EO-1: progress of exactly the items whose outputs are there";
const EO_5: &str = "EO-5: a position never goes back";
const DONE: &str = "all is done, whatever went wrong before";

/// What goes wrong within one history.
const BUDGET: Budget = Budget { late: 2, unanswered: 1, blows: 1, moves: 1 };

fn check(rules: Rules, threads: usize) -> impl Checker<Fleet> {
    Fleet { rules, budget: BUDGET }.checker().threads(threads).spawn_bfs().join()
}

/// A history in which this goes wrong. One thread finds the shortest one, and always the same.
fn goes_wrong(rules: Rules, property: &'static str) -> String {
    let checker = check(rules, 1);
    let path = checker.discovery(property).expect("it goes wrong");
    path.into_actions().iter().map(|it| format!("{it:?}\n")).collect()
}

#[test]
fn with_every_rule_nothing_goes_wrong_in_any_state() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = check(Rules::KEPT, cores);
    checker.assert_properties();
    let states = checker.unique_state_count();
    assert!(states > 1_000_000, "{states} states are hardly all");
}

/// KAFKA-17754: a late EndTxn ends the next transaction, a late TxnOffsetCommit takes the progress
/// in it back.
#[test]
fn without_another_producer_a_late_request_hits_the_next_transaction() {
    let rules = Rules { rebuilds: false, ..Rules::KEPT };
    for property in [EO_1, EO_5] {
        let how = goes_wrong(rules, property);
        let (before, after) = how.split_once("Deliver").expect(&how);
        assert!(before.contains("AskedAgain") && before.contains("Take"), "{before}{after}");
    }
}

#[test]
fn an_unknown_commit_that_is_not_looked_up_goes_wrong_either_way() {
    for unknown in [Unknown::TakenForCommitted, Unknown::TakenForAborted] {
        let how = goes_wrong(Rules { unknown, ..Rules::KEPT }, EO_1);
        assert!(how.contains("Settle"), "{how}");
    }
}

#[test]
fn a_partition_that_is_given_back_with_items_in_the_transaction_goes_wrong() {
    let how = goes_wrong(Rules { gives_back_in_order: false, ..Rules::KEPT }, EO_1);
    assert!(how.contains("GiveBack"), "{how}");
}

#[test]
fn progress_that_is_read_while_a_transaction_holds_more_of_it_goes_wrong() {
    let how = goes_wrong(Rules { waits_for_stable_progress: false, ..Rules::KEPT }, EO_1);
    assert!(how.contains("Assign"), "{how}");
}
