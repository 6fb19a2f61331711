//! The mutants.

mod client;
mod gather;
mod guard;
mod items;
mod join;
mod partitions;
mod progress;
mod transactions;
mod worker;

/// A defect, as a change of a few words.
pub struct Mutant {
    /// Who must find it.
    pub tests: Tests,
    /// What is wrong with it.
    pub defect: &'static str,
    /// Where.
    pub file: &'static str,
    /// These words,
    pub words: &'static str,
    /// and what stands in their place.
    pub instead: &'static str,
}

/// Tests of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tests {
    /// The crate.
    pub package: &'static str,
    /// Which of its test binaries: `lib`, or an integration test by its name.
    pub binaries: &'static [&'static str],
    /// Which of them.
    pub filter: &'static str,
}

/// The lane's own tests: its core by tables, its loop over the model.
pub const LANE: Tests = Tests { package: "longshore-kafka", binaries: &["lib"], filter: "lane::" };
/// What a transaction makes of what happened to its records.
pub const TRANSACTION: Tests =
    Tests { package: "longshore-kafka", binaries: &["lib"], filter: "transaction::" };
/// What the client makes of what happens to it.
pub const CLIENT: Tests =
    Tests { package: "longshore-kafka", binaries: &["lib"], filter: "client::" };
/// What every client is told.
pub const SETTINGS: Tests =
    Tests { package: "longshore-kafka", binaries: &["lib"], filter: "settings::" };
/// A stage on a lane of the simplest kind.
pub const WORKER: Tests = Tests { package: "longshore-worker", binaries: &["lib"], filter: "" };
/// The gather's own tests, and those of a join's partition at work.
pub const GATHER: Tests =
    Tests { package: "longshore-coordinator", binaries: &["lib"], filter: "" };
/// The same, and the join over the model.
pub const JOIN: Tests =
    Tests { package: "longshore-coordinator", binaries: &["lib", "lane"], filter: "" };
/// Histories by seed, of stages and of joins.
pub const HISTORIES: Tests =
    Tests { package: "longshore-simulation", binaries: &["histories"], filter: "" };

const fn mutant(
    tests: Tests,
    defect: &'static str,
    file: &'static str,
    words: &'static str,
    instead: &'static str,
) -> Mutant {
    Mutant { tests, defect, file, words, instead }
}

/// All of them. Each is run by its place.
pub fn mutants() -> Vec<&'static Mutant> {
    let lane = [
        transactions::MUTANTS,
        partitions::MUTANTS,
        items::MUTANTS,
        progress::MUTANTS,
        guard::MUTANTS,
    ];
    let others = [client::MUTANTS, worker::MUTANTS, gather::MUTANTS, join::MUTANTS];
    lane.into_iter().flatten().chain(others.into_iter().flatten()).collect()
}
