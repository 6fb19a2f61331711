//! Histories by the thousand: whatever goes wrong, every invariant holds; and a history that is run
//! again runs alike.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use longshore_simulation::{History, Report, Subject, run, shorten};

/// How many histories of each subject a test run tries, the same ones each time. For other ones,
/// and many more, the program is there.
const SEEDS: u64 = 12_000;
/// For those who want fewer.
const SEEDS_WANTED: &str = "LONGSHORE_SIMULATION_SEEDS";

fn seeds() -> u64 {
    std::env::var(SEEDS_WANTED).ok().and_then(|it| it.parse().ok()).unwrap_or(SEEDS)
}

#[test]
fn a_stage_keeps_its_invariants_whatever_goes_wrong() {
    let counts = all_hold(Subject::Stage);
    // The dead owner's transaction is ended by whoever comes first: the broker or the next owner.
    enough(&counts, &["timed out", "late", "fenced", "stale members", "slots lost"]);
}

#[test]
fn a_join_keeps_its_invariants_whatever_goes_wrong() {
    let counts = all_hold(Subject::Join);
    let rare = [
        "timed out",
        "late",
        "fenced",
        "stale members",
        "slots lost",
        "given up or carried",
        "spilled",
    ];
    enough(&counts, &rare);
}

#[test]
fn a_history_that_is_run_again_runs_alike() {
    for subject in [Subject::Stage, Subject::Join] {
        for seed in 0..200 {
            let history = History::of(subject, seed);
            let [first, second] = [(); 2].map(|()| run(&history).expect("it holds"));
            assert_eq!(first, second, "{history}");
        }
    }
}

/// Runs every seed's history, on every core: what was seen in them all.
fn all_hold(subject: Subject) -> Vec<(&'static str, u64)> {
    let next = AtomicU64::new(0);
    let work = || {
        let mut sum = counts(subject, &Report::default());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds() {
                return sum;
            }
            let report = run(&History::of(subject, seed)).unwrap_or_else(|_| fails(subject, seed));
            add(&mut sum, &counts(subject, &report));
        }
    };
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = counts(subject, &Report::default());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(counts) => add(&mut sum, &counts),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    sum
}

/// Tells the history that fails, as short as can be.
fn fails(subject: Subject, seed: u64) -> Report {
    let shortest = shorten(&History::of(subject, seed));
    let why = run(&shortest).map_or_else(|error| format!("{error:#}"), |_| "not alike".into());
    panic!("{shortest}\n{why}\nagain: --subject {subject:?} --from {seed} --seeds 1")
}

/// What was seen, and what a history of this subject may see.
fn counts(subject: Subject, report: &Report) -> Vec<(&'static str, u64)> {
    let seen = report.seen;
    let mut counts = vec![
        ("committed", seen.committed),
        ("aborted", seen.aborted),
        ("timed out", seen.timed_out),
        ("taken over", seen.taken_over),
        ("fenced", seen.fenced),
        ("stale members", seen.stale_members),
        ("slots lost", seen.slots_lost),
        ("faults", seen.faults),
        ("late", seen.late),
        ("commits of unknown outcome", seen.unknown),
        ("stopped", report.stopped),
        ("given up or carried", report.rare),
    ];
    if subject == Subject::Join {
        counts.push(("spilled", report.spilled));
    }
    counts
}

fn add(sum: &mut [(&'static str, u64)], counts: &[(&'static str, u64)]) {
    sum.iter_mut().zip(counts).for_each(|((_, sum), (_, count))| *sum += count);
}

/// A run in which nothing goes wrong proves nothing: of most kinds there is one in every ten
/// histories, of these rare ones in every hundred.
fn enough(counts: &[(&str, u64)], rare: &[&str]) {
    for (what, count) in counts {
        let least = if rare.contains(what) { seeds() / 100 } else { seeds() / 10 };
        assert!(*count >= least, "only {count} {what} in {} histories: {counts:?}", seeds());
    }
}
