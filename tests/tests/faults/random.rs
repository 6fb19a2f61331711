//! A network that is disturbed at random, in the same way for the same seed.

use longshore_chaos::{Disturbance, Fault, Schedule, run_schedule};
use tokio_util::sync::CancellationToken;

use crate::trial::{Network, Trial, committed, rebuilt, times};

/// Disturbances of an ordinary run.
const DISTURBANCES: usize = 16;
/// Disturbances for each round of work: each lasts longer than it takes to work.
const OF_A_ROUND: usize = 2;
/// Any would do; this one begins with connections that are cut.
const SEED: u64 = 2;

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
    for some in disturbances.chunks(OF_A_ROUND) {
        trial.next();
        let never = CancellationToken::new();
        let run = run_schedule(&network.control, some.iter().copied(), &never);
        assert_eq!(network.cluster().runtime().block_on(run), some.len());
    }
    let after = network.control.counts();
    let lost = (after.cut + after.reset) - (before.cut + before.reset);
    assert!(lost >= count as u64 / 4, "connections lost: {lost}");
    assert!(after.delayed > before.delayed, "nothing was delayed");
    let (commits, tainted) = (committed(&worker), rebuilt(&worker, "tainted"));
    assert!(commits > 0 && tainted >= count as u64 / 8, "{commits} commits, {tainted} tainted");
    trial.ends_well(worker);
}

/// What a network does by itself, without an eye for what kind of request it is.
fn is_of_the_network(it: &Disturbance) -> bool {
    !matches!(it.fault, Fault::SwallowAnswer(_) | Fault::DeliverLate(_))
}
