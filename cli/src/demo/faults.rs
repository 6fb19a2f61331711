//! The faults of a run, handed to its processes in their environment.

use std::env;
use std::time::Duration;

use anyhow::Context;
use longshore_orders::faults::Faults;

/// The seed of the faults; without it there are none.
const SEED: &str = "LONGSHORE_DEMO_SEED";
/// How long the join waits, in seconds: late lines take longer.
const TIMEOUT: &str = "LONGSHORE_DEMO_TIMEOUT";

/// The faults that this process was asked to make; only the demo asks.
pub fn faults_of_process() -> anyhow::Result<Faults> {
    let Ok(seed) = env::var(SEED) else {
        return Ok(Faults::none());
    };
    let seed = seed.parse().with_context(|| format!("{SEED} is no number"))?;
    let timeout = env::var(TIMEOUT).with_context(|| format!("{SEED} is set without {TIMEOUT}"))?;
    let seconds = timeout.parse().with_context(|| format!("{TIMEOUT} is no number of seconds"))?;
    Ok(Faults::seeded(seed, Duration::from_secs(seconds)))
}

/// The variables that ask for these faults.
pub(super) fn variables(seed: u64, timeout: Duration) -> [(&'static str, String); 2] {
    [(SEED, seed.to_string()), (TIMEOUT, timeout.as_secs().to_string())]
}
