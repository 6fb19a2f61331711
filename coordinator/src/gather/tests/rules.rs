//! What `tolerate`, `on_failed`, `on_timeout` and the kind of opening change.

use longshore_schemas::records::Expect;

use super::words::*;
use crate::gather::{OnFailed, OnLate, OnTimeout, Rules, RulesError, Tolerance, Tolerate};

/// What becomes of a group of five parts of `price` alone; `T` is a tick at its deadline.
fn comes(rules: Rules, tokens: &str) -> Vec<String> {
    let mut partition = Partition::new(rules);
    let expect = listed(&["p0", "p1", "p2", "p3", "p4"]);
    let mut lines = partition.feed_at(1, open("g", 1, expect));
    for token in tokens.split_whitespace() {
        lines.extend(match token {
            "T" => partition.feed_at(1 + TIMEOUT, tick()),
            token => partition.parts("g", token),
        });
    }
    lines
}

fn tolerating(failed: Option<u32>, missing: Option<u32>, rules: Rules) -> Rules {
    let bound = |most: Option<u32>| most.map(Tolerance::Count);
    Rules { tolerate: Tolerate { failed: bound(failed), missing: bound(missing) }, ..rules }
}

#[test]
fn failed_parts_within_the_tolerance_make_a_partial_result_whatever_on_failed_says() {
    for on_failed in [OnFailed::Include, OnFailed::FailFast] {
        let rules = tolerating(Some(1), None, Rules { on_failed, ..rules("all_done") });
        assert_eq!(
            comes(rules, "+p0 !p1 +p2 +p3 +p4"),
            ["partial by all: +p0 !p1 +p2 +p3 +p4"],
            "{on_failed:?}"
        );
    }
}

#[test]
fn failed_parts_beyond_the_tolerance_fail_the_group_when_all_have_ended() {
    for when in ["all_done", "all_ended"] {
        assert_eq!(
            comes(tolerating(Some(1), None, rules(when)), "+p0 !p1 !p2 +p3 +p4"),
            ["failed by all: +p0 !p1 !p2 +p3 +p4"],
            "{when}"
        );
    }
}

#[test]
fn fail_fast_waits_for_one_failure_more_than_is_tolerated() {
    let rules = Rules { on_failed: OnFailed::FailFast, ..rules("all_done") };
    assert_eq!(
        comes(tolerating(Some(1), None, rules), "!p0 +p1 !p2"),
        ["cancel", "failed by rule: !p0 +p1 !p2 -p3 -p4"]
    );
}

#[test]
fn a_cancelled_parts_outcome_is_a_surplus_whatever_it_says() {
    let mut partition =
        Partition::new(Rules { on_failed: OnFailed::FailFast, ..rules("all_done") });
    partition.feed(open("g", 1, Expect::Count(2)));
    assert_eq!(partition.parts("g", "!p0").len(), 2);
    assert_eq!(partition.parts("g", "~p1 +s0 !s1"), Vec::<String>::new());
    assert_eq!(partition.gather.dropped().surplus, 3);
}

#[test]
fn a_share_of_failures_is_tolerated_of_the_parts_expected() {
    let tolerate =
        Tolerate { failed: Some(Tolerance::Share("20%".parse().unwrap())), missing: None };
    let rules = || Rules { tolerate, on_failed: OnFailed::FailFast, ..rules("all_done") };
    assert_eq!(comes(rules(), "!p0"), Vec::<String>::new());
    assert_eq!(comes(rules(), "!p0 !p1"), ["cancel", "failed by rule: !p0 !p1 -p2 -p3 -p4"]);
}

#[test]
fn on_failed_drop_keeps_failed_parts_from_the_gather_and_counts_them() {
    let mut partition = Partition::new(Rules { on_failed: OnFailed::Drop, ..rules("all_ended") });
    partition.feed(open("g", 1, listed(&["p0", "s0"])));
    assert_eq!(partition.parts("g", "!p0 +s0"), ["partial by all: +s0"]);
    let crate::gather::Action::Close(closing) = &partition.effects[0].action else { panic!() };
    assert_eq!((closing.closed.counts.failed, closing.closed.counts.expected), (1, 2));
}

#[test]
fn on_timeout_fail_fails_a_group_with_parts_missing_beyond_the_tolerance() {
    let fail = || Rules { on_timeout: OnTimeout::Fail, ..rules("all_done") };
    assert_eq!(comes(fail(), "+p0 +p1 +p2 +p3 T"), ["failed by timeout: +p0 +p1 +p2 +p3 -p4"]);
    assert_eq!(
        comes(tolerating(None, Some(1), fail()), "+p0 +p1 +p2 +p3 T"),
        ["partial by timeout: +p0 +p1 +p2 +p3 -p4"]
    );
}

#[test]
fn a_bound_on_missing_parts_holds_under_on_timeout_partial_too() {
    let rules = || tolerating(None, Some(1), rules("all_ended"));
    assert_eq!(comes(rules(), "+p0 +p1 +p2 +p3 T"), ["partial by timeout: +p0 +p1 +p2 +p3 -p4"]);
    assert_eq!(comes(rules(), "+p0 +p1 +p2 T"), ["failed by timeout: +p0 +p1 +p2 -p3 -p4"]);
}

#[test]
fn a_rule_that_is_false_with_every_part_ended_closes_by_on_failed() {
    let with = |on_failed| Rules { on_failed, ..rules("quorum(3)") };
    let tokens = "+p0 +p1 ~p2 ~p3 ~p4";
    assert_eq!(comes(with(OnFailed::Include), tokens), ["partial by all: +p0 +p1 ~p2 ~p3 ~p4"]);
    assert_eq!(comes(with(OnFailed::FailFast), tokens), ["failed by all: +p0 +p1 ~p2 ~p3 ~p4"]);
}

#[test]
fn a_rule_that_cannot_be_met_any_more_waits_for_a_repair() {
    assert_eq!(comes(rules("all_done"), "!p0 +p1 +p2 +p3"), Vec::<String>::new());
    assert_eq!(
        comes(rules("all_done"), "!p0 +p1 +p2 +p3 +p0@1 +p4"),
        ["complete by all: +p0 +p1 +p2 +p3 +p4"]
    );
}

#[test]
fn fraction_counts_skipped_parts_as_all_done_does() {
    assert_eq!(comes(rules("fraction(1)"), "+p0 ~p1 +p2 ~p3 +p4").len(), 1);
    assert_eq!(
        comes(rules("fraction(60%)"), "~p0 +p1 ~p2"),
        ["complete by rule: ~p0 +p1 ~p2 -p3 -p4"]
    );
}

#[test]
fn an_expression_may_close_before_every_part_has_ended() {
    let mut partition = Partition::new(rules("price.done and (stock.done or stock.skipped)"));
    partition.feed(open("g", 1, listed(&["p0", "x7"])));
    assert_eq!(partition.parts("g", "+p0"), ["complete by rule: +p0 -x7"]);
}

#[test]
fn late_drop_counts_and_writes_nothing() {
    let rules = Rules { late: OnLate::Drop, ..rules("all_done") };
    let mut partition = Partition::new(rules);
    partition.feed_at(1, open("g", 1, Expect::Count(1)));
    partition.feed_at(1 + TIMEOUT, tick());
    assert_eq!(partition.parts("g", "+p0 +s0"), Vec::<String>::new());
    assert_eq!(partition.gather.dropped().late, 2);
}

#[test]
fn rules_that_contradict_themselves_are_refused() {
    assert_eq!(rules("all_done").check(), Ok(()));
    assert_eq!(Rules { of: vec![], ..rules("all_done") }.check(), Err(RulesError::NoStages));
    let twice = Rules { of: vec!["a".into(), "a".into()], ..rules("all_done") };
    assert_eq!(twice.check(), Err(RulesError::StageTwice { stage: "a".into() }));
    let error = rules("price.done or not (tax.done)").check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`when` names stage `tax`, which is not in `of`: add it there or correct its name"
    );
    let error = rules("quorum(101)").check().unwrap_err();
    assert_eq!(error, RulesError::QuorumBeyondParts { quorum: 101, parts_max: 100 });
}

#[test]
fn policies_are_written_in_snake_case() {
    let read = |json: &str| serde_json::from_str::<OnFailed>(json);
    assert_eq!(read("\"fail_fast\"").unwrap(), OnFailed::FailFast);
    assert!(read("\"FailFast\"").is_err());
    assert!(serde_json::from_str::<Tolerate>(r#"{"failed": "1%", "lost": 2}"#).is_err());
    let when: crate::gather::When = serde_json::from_str("\"quorum(2)\"").unwrap();
    assert_eq!(when, crate::gather::When::Quorum(2));
}
