//! A network that is disturbed at random, in the same way for the same seed.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use longshore_chaos::{ApiKey, Disturbance, Fault, Rules, Schedule, Then, Trap, run_schedule};
use longshore_kafka::admin::Isolation;
use longshore_tests::{Onlooker, echoes};
use tokio_util::sync::CancellationToken;

use crate::trial::{Network, Trial, committed, rebuilt, times};

/// Disturbances of an ordinary run.
const DISTURBANCES: usize = 16;
/// Disturbances for each round of work: each lasts longer than it takes to work.
const OF_A_ROUND: usize = 2;
/// Kinds of what a network does by itself.
const KINDS: usize = 6;
/// Any would do that has all of them; this one begins with connections that are cut.
const SEED: u64 = 12;

#[test]
fn delays_cuts_and_resets_during_commits_lose_nothing() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let count = DISTURBANCES * times();
    let mut trial = Trial::publish(&fleet, count / OF_A_ROUND);
    let worker = fleet.worker();
    trial.has_begun();
    let before = network.control.counts();
    let disturbances: Vec<_> =
        Schedule::from_seed(SEED).filter(is_of_the_network).take(count).collect();
    let mut came = BTreeMap::new();
    for some in disturbances.chunks(OF_A_ROUND) {
        trial.next();
        let never = CancellationToken::new();
        let run = run_schedule(&network.control, some.iter().copied(), &never);
        assert_eq!(network.cluster().runtime().block_on(run), some.len());
        some.iter().for_each(|it| *came.entry(kind(it)).or_insert(0) += 1);
    }
    assert_eq!(came.len(), KINDS, "not every kind came: {came:?}");
    let after = network.control.counts();
    let (cut, reset) = (after.cut - before.cut, after.reset - before.reset);
    let lost = cut + reset;
    assert!(lost >= count as u64 / 4, "connections lost: {lost}");
    assert!(cut > 0 && reset > 0, "{cut} connections cut, {reset} reset");
    assert!(after.delayed > before.delayed, "nothing was delayed");
    let (commits, tainted) = (committed(&worker), rebuilt(&worker, "tainted"));
    assert!(commits > 0 && tainted >= count as u64 / 8, "{commits} commits, {tainted} tainted");
    trial.ends_well(worker);
}

/// Lines of the file that is published.
const LINES: i64 = 20_000;
/// Commits of the producer that go wrong, in each of two ways.
const COMMITS: u32 = 3;
/// Slow enough that a file takes some seconds.
const PACE: u64 = 1_000_000;
/// Until a late request arrives.
const LATE: Duration = Duration::from_millis(100);

#[test]
fn a_producer_publishes_each_line_once_though_its_commits_go_wrong() {
    let network = Network::undisturbed();
    let fleet = network.fleet();
    let file = fleet.lines(echoes(0..LINES));
    let onlooker = Onlooker::of_items(&fleet);
    let before = network.control.counts();
    let of = ApiKey::END_TXN;
    let late = Trap::HoldRequest { of, at_most: LATE, then: Then::Reset };
    let lost = Trap::SwallowAnswer { of, then: Then::Reset };
    assert!(network.control.set_trap(late, COMMITS) && network.control.set_trap(lost, COMMITS));
    network
        .control
        .set_rules(Rules { bytes_per_second: NonZeroU64::new(PACE), ..Rules::default() });
    let (code, said) = fleet.producer_through_proxy(&file).ends();
    assert_eq!(code, 0, "{said}");
    let after = network.control.counts();
    let (held, swallowed) = (after.held - before.held, after.swallowed - before.swallowed);
    assert_eq!((held, swallowed), (COMMITS.into(), COMMITS.into()));
    let items = fleet.published(Isolation::Committed);
    let mut numbers: Vec<_> = items.iter().map(|(_, job)| job.number).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..LINES), "{} items of {LINES} lines", numbers.len());
    onlooker.agrees();
}

/// What a network does by itself, without an eye for what kind of request it is.
fn is_of_the_network(it: &Disturbance) -> bool {
    use Fault::{DeliverLate, SwallowAnswer, Unanswered};
    !matches!(it.fault, SwallowAnswer(_) | DeliverLate(_) | Unanswered(_))
}

fn kind(it: &Disturbance) -> &'static str {
    match it.fault {
        Fault::DelayRequests(_) => "requests delayed",
        Fault::DelayAnswers(_) => "answers delayed",
        Fault::Throttle(_) => "throttled",
        Fault::BlackHole => "a black hole",
        Fault::Cut => "cut",
        Fault::Reset => "reset",
        Fault::SwallowAnswer(_) => "an answer lost",
        Fault::DeliverLate(_) => "delivered late",
        Fault::Unanswered(_) => "unanswered",
    }
}
