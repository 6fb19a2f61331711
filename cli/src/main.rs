//! The `longshore` binary: every command of the fleet, with the handlers of the demo.

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use longshore_orders::faults::Faults;

fn main() -> anyhow::Result<ExitCode> {
    let faults = faults()?;
    let fleet = longshore_orders::fleet(faults).pipeline(longshore_orders::PIPELINE);
    Ok(fleet.main())
}

/// The faults that the demo asks its processes to make: the variables are set by it alone.
fn faults() -> anyhow::Result<Faults> {
    let Ok(seed) = env::var("LONGSHORE_DEMO_SEED") else {
        return Ok(Faults::none());
    };
    let seed = seed.parse().context("LONGSHORE_DEMO_SEED is no number")?;
    let timeout = env::var("LONGSHORE_DEMO_TIMEOUT").unwrap_or_else(|_| "10s".to_owned());
    let timeout: Duration = timeout
        .trim_end_matches('s')
        .parse()
        .map(Duration::from_secs)
        .context("LONGSHORE_DEMO_TIMEOUT is no number of seconds, such as `10s`")?;
    Ok(Faults::seeded(seed, timeout))
}
