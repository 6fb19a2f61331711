//! The order in which parts end must not matter where nothing contradicts anything.

use longshore_schemas::records::{Counts, Expect};
use proptest::prelude::*;

use super::words::*;
use crate::gather::{Action, Effect, OnFailed, OnTimeout, Rules, Tolerance, Tolerate};

/// What a result says, without where its parts stood.
fn result(rules: &Rules, tokens: &[String]) -> (String, Counts) {
    let mut partition = Partition::new(rules.clone());
    partition.feed_at(1, open("g", 1, Expect::Count(4)));
    for token in tokens {
        partition.feed(part("g", 1, token));
    }
    partition.feed_at(1 + TIMEOUT, tick());
    let [effect] = &partition.effects[..] else { panic!("{:?}", partition.effects) };
    let Action::Close(closing) = &effect.action else { panic!("{effect:?}") };
    (closing_line(closing), closing.closed.counts)
}

/// All that comes of a group of four parts, or of one that is sealed behind its outcomes.
fn effects(rules: &Rules, seal_at: Option<u32>, tokens: &[String]) -> Vec<Effect> {
    let mut partition = Partition::new(rules.clone());
    let expect = if seal_at.is_some() { Expect::OpenEnded } else { Expect::Count(4) };
    partition.feed_at(1, open("g", 1, expect));
    for token in tokens {
        partition.feed(part("g", 1, token));
    }
    if let Some(total) = seal_at {
        partition.feed(seal("g", 1, total));
    }
    partition.feed_at(1 + TIMEOUT, tick());
    partition.effects
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let bound = || prop::option::of((0_u32..4).prop_map(Tolerance::Count));
    let when = prop::sample::select(vec!["all_done", "all_ended"]);
    let on_failed = prop::sample::select(vec![OnFailed::Include, OnFailed::Drop]);
    let on_timeout = prop::sample::select(vec![OnTimeout::Partial, OnTimeout::Fail]);
    (when, bound(), bound(), on_failed, on_timeout).prop_map(
        |(when, failed, missing, on_failed, on_timeout)| Rules {
            tolerate: Tolerate { failed, missing },
            on_failed,
            on_timeout,
            ..rules(when)
        },
    )
}

/// Outcomes of some of the eight parts, one each, in any order.
fn outcomes() -> impl Strategy<Value = Vec<String>> {
    let token = |sign: &str, index: usize| format!("{sign}{}{}", ["p", "s"][index % 2], index / 2);
    let signs = prop::collection::vec(prop::sample::select(vec!["", "+", "+", "~", "!"]), 8);
    signs
        .prop_map(move |signs| {
            let ended = signs.iter().enumerate().filter(|(_, sign)| !sign.is_empty());
            ended.map(|(index, sign)| token(sign, index)).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

proptest! {
    #[test]
    fn any_order_of_the_parts_gives_the_same_result(rules in any_rules(), shuffled in outcomes()) {
        let mut sorted = shuffled.clone();
        sorted.sort();
        prop_assert_eq!(result(&rules, &shuffled), result(&rules, &sorted));
    }

    /// The documentation of `When` says so.
    #[test]
    fn all_done_and_all_ended_are_one_rule(
        rules in any_rules(),
        fails_fast in any::<bool>(),
        seal in prop::option::of(0_u32..6),
        outcomes in outcomes(),
    ) {
        let on_failed = if fails_fast { OnFailed::FailFast } else { rules.on_failed };
        let rules = Rules { on_failed, ..rules };
        let under = |when: &str| {
            effects(&Rules { when: when.parse().unwrap(), ..rules.clone() }, seal, &outcomes)
        };
        prop_assert_eq!(under("all_done"), under("all_ended"));
    }
}
