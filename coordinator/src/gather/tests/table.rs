//! The table: every completion rule, every kind of part, in order, reversed and shuffled, with what
//! must come of it written out.
//!
//! Each case opens one group of four parts (0 and 1 of `price` and of `stock`), feeds its outcomes
//! in the three orders, then what comes `then` in its own order, then a tick at the deadline.

use longshore_schemas::records::Expect;

use super::words::*;
use crate::gather::{OnFailed, Rules};

struct Case {
    name: &'static str,
    outcomes: &'static str,
    /// `T` is a tick at the deadline.
    then: &'static str,
    /// Per rule what comes of it: in order, reversed, shuffled.
    comes: [(&'static str, [&'static str; 3]); 7],
}

const ALL_DONE: &str = "all_done";
const FAIL_FAST: &str = "all_done, fail_fast";
const ALL_ENDED: &str = "all_ended";
const ANY_DONE: &str = "any_done";
const QUORUM: &str = "quorum(3)";
const FRACTION: &str = "fraction(0.5)";
const STAGES: &str = "price.done and (stock.done or stock.skipped)";

/// The same in every order.
const fn same(comes: &'static str) -> [&'static str; 3] {
    [comes; 3]
}

const TABLE: [Case; 10] = [
    Case {
        name: "done",
        outcomes: "+p0 +p1 +s0 +s1",
        then: "",
        comes: [
            (ALL_DONE, same("complete by all: +p0 +p1 +s0 +s1")),
            (FAIL_FAST, same("complete by all: +p0 +p1 +s0 +s1")),
            (ALL_ENDED, same("complete by all: +p0 +p1 +s0 +s1")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 3 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; 3 surplus",
                    "complete by quorum: +p1 -p0 -s0 -s1; 3 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; 1 surplus",
                    "complete by quorum: +p0 +p1 +s1 -s0; 1 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 2 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; 2 surplus",
                    "complete by rule: +p1 +s1 -p0 -s0; 2 surplus",
                ],
            ),
            (STAGES, same("complete by all: +p0 +p1 +s0 +s1")),
        ],
    },
    Case {
        name: "skipped",
        outcomes: "+p0 +p1 ~s0 ~s1",
        then: "",
        comes: [
            (ALL_DONE, same("complete by all: +p0 +p1 ~s0 ~s1")),
            (FAIL_FAST, same("complete by all: +p0 +p1 ~s0 ~s1")),
            (ALL_ENDED, same("complete by all: +p0 +p1 ~s0 ~s1")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 3 surplus",
                    "complete by quorum: +p1 ~s0 ~s1 -p0; 1 surplus",
                    "complete by quorum: +p1 -p0 -s0 -s1; 3 surplus",
                ],
            ),
            (QUORUM, same("partial by all: +p0 +p1 ~s0 ~s1")),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 2 surplus",
                    "complete by rule: ~s0 ~s1 -p0 -p1; 2 surplus",
                    "complete by rule: +p1 ~s1 -p0 -s0; 2 surplus",
                ],
            ),
            (STAGES, same("complete by all: +p0 +p1 ~s0 ~s1")),
        ],
    },
    Case {
        name: "failed",
        outcomes: "+p0 +p1 +s0 !s1",
        then: "",
        comes: [
            (ALL_DONE, same("partial by all: +p0 +p1 +s0 !s1")),
            (
                FAIL_FAST,
                [
                    "failed by all: +p0 +p1 +s0 !s1",
                    "cancel; failed by rule: !s1 -p0 -p1 -s0; 3 surplus",
                    "cancel; failed by rule: +p1 !s1 -p0 -s0; 2 surplus",
                ],
            ),
            (ALL_ENDED, same("partial by all: +p0 +p1 +s0 !s1")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 3 surplus",
                    "complete by quorum: +s0 !s1 -p0 -p1; 2 surplus",
                    "complete by quorum: +p1 -p0 -s0 -s1; 3 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 surplus",
                    "complete by all: +p0 +p1 +s0 !s1",
                    "complete by all: +p0 +p1 +s0 !s1",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 2 surplus",
                    "complete by rule: +p1 +s0 !s1 -p0; 1 surplus",
                    "complete by rule: +p0 +p1 !s1 -s0; 1 surplus",
                ],
            ),
            (STAGES, same("partial by all: +p0 +p1 +s0 !s1")),
        ],
    },
    Case {
        name: "repaired",
        outcomes: "+p0 !p1 +p1@1 +s0 +s1",
        then: "",
        comes: [
            (ALL_DONE, same("complete by all: +p0 +p1 +s0 +s1; 1 repaired")),
            (
                FAIL_FAST,
                [
                    "cancel; failed by rule: +p0 !p1 -s0 -s1; 3 surplus",
                    "complete by all: +p0 +p1 +s0 +s1; 1 repaired",
                    "cancel; failed by rule: !p1 -p0 -s0 -s1; 4 surplus",
                ],
            ),
            (ALL_ENDED, same("complete by all: +p0 +p1 +s0 +s1; 1 repaired")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 4 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; 4 surplus",
                    "complete by quorum: !p1 +s0 -p0 -s1; 3 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 repaired; 1 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; 2 surplus",
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 repaired; 1 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 1 repaired; 2 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; 3 surplus",
                    "complete by rule: +p0 !p1 +s0 -s1; 2 surplus",
                ],
            ),
            (STAGES, same("complete by all: +p0 +p1 +s0 +s1; 1 repaired")),
        ],
    },
    Case {
        name: "missing",
        outcomes: "+p0 +p1 +s0",
        then: "",
        comes: [
            (ALL_DONE, same("partial by timeout: +p0 +p1 +s0 -s1")),
            (FAIL_FAST, same("partial by timeout: +p0 +p1 +s0 -s1")),
            (ALL_ENDED, same("partial by timeout: +p0 +p1 +s0 -s1")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 2 surplus",
                    "complete by quorum: +s0 -p0 -p1 -s1; 2 surplus",
                    "complete by quorum: +p1 -p0 -s0 -s1; 2 surplus",
                ],
            ),
            (QUORUM, same("complete by quorum: +p0 +p1 +s0 -s1")),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 1 surplus",
                    "complete by rule: +p1 +s0 -p0 -s1; 1 surplus",
                    "complete by rule: +p0 +p1 -s0 -s1; 1 surplus",
                ],
            ),
            (STAGES, same("partial by timeout: +p0 +p1 +s0 -s1")),
        ],
    },
    Case {
        name: "late",
        outcomes: "+p0 +s0",
        then: "T +p1 +s1",
        comes: [
            (ALL_DONE, same("partial by timeout: +p0 +s0 -p1 -s1; late +p1; late +s1")),
            (FAIL_FAST, same("partial by timeout: +p0 +s0 -p1 -s1; late +p1; late +s1")),
            (ALL_ENDED, same("partial by timeout: +p0 +s0 -p1 -s1; late +p1; late +s1")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 3 surplus",
                    "complete by quorum: +s0 -p0 -p1 -s1; 3 surplus",
                    "complete by quorum: +s0 -p0 -p1 -s1; 3 surplus",
                ],
            ),
            (QUORUM, same("partial by timeout: +p0 +s0 -p1 -s1; late +p1; late +s1")),
            (FRACTION, same("complete by rule: +p0 +s0 -p1 -s1; 2 surplus")),
            (STAGES, same("partial by timeout: +p0 +s0 -p1 -s1; late +p1; late +s1")),
        ],
    },
    Case {
        name: "duplicate",
        outcomes: "+p0 +p0 +p1 +s0 +s1",
        then: "",
        comes: [
            (
                ALL_DONE,
                [
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                    "complete by all: +p0 +p1 +s0 +s1; 1 surplus",
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                ],
            ),
            (
                FAIL_FAST,
                [
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                    "complete by all: +p0 +p1 +s0 +s1; 1 surplus",
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                ],
            ),
            (
                ALL_ENDED,
                [
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                    "complete by all: +p0 +p1 +s0 +s1; 1 surplus",
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                ],
            ),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 4 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; 4 surplus",
                    "complete by quorum: +p0 -p1 -s0 -s1; 4 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 duplicate; 1 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; 2 surplus",
                    "complete by quorum: +p0 +p1 +s0 -s1; 1 duplicate; 1 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 1 duplicate; 2 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; 3 surplus",
                    "complete by rule: +p0 +s0 -p1 -s1; 3 surplus",
                ],
            ),
            (
                STAGES,
                [
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                    "complete by all: +p0 +p1 +s0 +s1; 1 surplus",
                    "complete by all: +p0 +p1 +s0 +s1; 1 duplicate",
                ],
            ),
        ],
    },
    Case {
        name: "conflict",
        outcomes: "+p0 +p0' +p1 +s0 +s1",
        then: "",
        comes: [
            (
                ALL_DONE,
                [
                    "conflict OtherContent +p0'; complete by all: +p0 +p1 +s0 +s1",
                    "complete by all: +p0' +p1 +s0 +s1; 1 surplus",
                    "conflict OtherContent +p0; complete by all: +p0' +p1 +s0 +s1",
                ],
            ),
            (
                FAIL_FAST,
                [
                    "conflict OtherContent +p0'; complete by all: +p0 +p1 +s0 +s1",
                    "complete by all: +p0' +p1 +s0 +s1; 1 surplus",
                    "conflict OtherContent +p0; complete by all: +p0' +p1 +s0 +s1",
                ],
            ),
            (
                ALL_ENDED,
                [
                    "conflict OtherContent +p0'; complete by all: +p0 +p1 +s0 +s1",
                    "complete by all: +p0' +p1 +s0 +s1; 1 surplus",
                    "conflict OtherContent +p0; complete by all: +p0' +p1 +s0 +s1",
                ],
            ),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 4 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; 4 surplus",
                    "complete by quorum: +p0' -p1 -s0 -s1; 4 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "conflict OtherContent +p0'; complete by quorum: +p0 +p1 +s0 -s1; 1 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; 2 surplus",
                    "conflict OtherContent +p0; complete by quorum: +p0' +p1 +s0 -s1; 1 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "conflict OtherContent +p0'; complete by rule: +p0 +p1 -s0 -s1; 2 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; 3 surplus",
                    "complete by rule: +p0' +s0 -p1 -s1; 3 surplus",
                ],
            ),
            (
                STAGES,
                [
                    "conflict OtherContent +p0'; complete by all: +p0 +p1 +s0 +s1",
                    "complete by all: +p0' +p1 +s0 +s1; 1 surplus",
                    "conflict OtherContent +p0; complete by all: +p0' +p1 +s0 +s1",
                ],
            ),
        ],
    },
    Case {
        name: "surplus",
        outcomes: "+p0 +p1 +s0 +s1",
        then: "+p0 !s1",
        comes: [
            (ALL_DONE, same("complete by all: +p0 +p1 +s0 +s1; 2 surplus")),
            (FAIL_FAST, same("complete by all: +p0 +p1 +s0 +s1; 2 surplus")),
            (ALL_ENDED, same("complete by all: +p0 +p1 +s0 +s1; 2 surplus")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; 5 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; 5 surplus",
                    "complete by quorum: +p1 -p0 -s0 -s1; 5 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; 3 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; 3 surplus",
                    "complete by quorum: +p0 +p1 +s1 -s0; 3 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; 4 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; 4 surplus",
                    "complete by rule: +p1 +s1 -p0 -s0; 4 surplus",
                ],
            ),
            (STAGES, same("complete by all: +p0 +p1 +s0 +s1; 2 surplus")),
        ],
    },
    Case {
        name: "orphan",
        outcomes: "+p0 ?+p0 +p1 +s0 +s1",
        then: "",
        comes: [
            (ALL_DONE, same("complete by all: +p0 +p1 +s0 +s1; orphan +p0")),
            (FAIL_FAST, same("complete by all: +p0 +p1 +s0 +s1; orphan +p0")),
            (ALL_ENDED, same("complete by all: +p0 +p1 +s0 +s1; orphan +p0")),
            (
                ANY_DONE,
                [
                    "complete by quorum: +p0 -p1 -s0 -s1; orphan +p0; 3 surplus",
                    "complete by quorum: +s1 -p0 -p1 -s0; orphan +p0; 3 surplus",
                    "complete by quorum: +s0 -p0 -p1 -s1; orphan +p0; 3 surplus",
                ],
            ),
            (
                QUORUM,
                [
                    "complete by quorum: +p0 +p1 +s0 -s1; orphan +p0; 1 surplus",
                    "complete by quorum: +p1 +s0 +s1 -p0; orphan +p0; 1 surplus",
                    "complete by quorum: +p0 +p1 +s0 -s1; orphan +p0; 1 surplus",
                ],
            ),
            (
                FRACTION,
                [
                    "complete by rule: +p0 +p1 -s0 -s1; orphan +p0; 2 surplus",
                    "complete by rule: +s0 +s1 -p0 -p1; orphan +p0; 2 surplus",
                    "complete by rule: +p0 +s0 -p1 -s1; orphan +p0; 2 surplus",
                ],
            ),
            (STAGES, same("complete by all: +p0 +p1 +s0 +s1; orphan +p0")),
        ],
    },
];

fn rules_named(name: &str) -> Rules {
    match name {
        FAIL_FAST => Rules { on_failed: OnFailed::FailFast, ..rules("all_done") },
        when => rules(when),
    }
}

fn orders(outcomes: &str) -> [Vec<&str>; 3] {
    let in_order: Vec<_> = outcomes.split_whitespace().collect();
    let reversed = in_order.iter().rev().copied().collect();
    let odd = in_order.iter().skip(1).step_by(2);
    let shuffled = odd.chain(in_order.iter().step_by(2)).copied().collect();
    [in_order, reversed, shuffled]
}

fn play(rules: Rules, outcomes: &[&str], then: &str) -> String {
    let mut partition = Partition::new(rules);
    let mut lines = partition.feed_at(1, open("g", 1, Expect::Count(2)));
    for token in outcomes.iter().copied().chain(then.split_whitespace()) {
        lines.extend(match (token, token.strip_prefix('?')) {
            ("T", _) => partition.feed_at(1 + TIMEOUT, tick()),
            (_, Some(unknown)) => partition.parts("unknown", unknown),
            _ => partition.parts("g", token),
        });
    }
    lines.extend(partition.feed_at(1 + TIMEOUT, tick()));
    let dropped = partition.gather.dropped();
    for (name, count) in [
        ("duplicate", dropped.duplicate),
        ("repaired", dropped.repaired),
        ("surplus", dropped.surplus),
    ] {
        if count > 0 {
            lines.push(format!("{count} {name}"));
        }
    }
    lines.join("; ")
}

#[test]
fn every_rule_meets_every_kind_of_part_in_every_order() {
    for case in &TABLE {
        for (rule, comes) in &case.comes {
            for (order, expected) in orders(case.outcomes).iter().zip(comes) {
                let came = play(rules_named(rule), order, case.then);
                assert_eq!(came, *expected, "{} under {rule}, as {order:?}", case.name);
            }
        }
    }
}
