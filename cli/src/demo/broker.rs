//! The Kafka of the demo: found or started, with what is done for it told on the way.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::ProgressBar;
use longshore::local::{self, Cluster, Environment, LocalError, Progress, Up};

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Finds a Kafka, or starts one. One that must outlive the demo is started as `up` does.
pub fn find_or_start(environment: &Environment, outlives: bool) -> Result<Cluster, LocalError> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(TURN);
    let mut tell = |step: Progress| tell(&bar, &step);
    let found = if outlives && environment.bootstrap_servers.is_none() {
        local::up(environment, &mut tell).map(|up| match up {
            Up::Started(broker) | Up::AlreadyRunning(broker) => Cluster::Shared(broker),
        })
    } else {
        local::find_or_start(environment, &mut tell)
    };
    bar.finish_and_clear();
    found
}

/// Of the many jars only the last is worth a look.
fn tell(bar: &ProgressBar, step: &Progress) {
    match step {
        Progress::Downloaded { .. } => bar.set_message(step.to_string()),
        _ => bar.suspend(|| {
            // Where nobody reads it, the work goes on.
            let _ = writeln!(io::stderr(), "{step}");
        }),
    }
}

/// Whose it is, for people.
pub fn introduced(cluster: &Cluster) -> String {
    let servers = cluster.bootstrap_servers();
    match cluster {
        Cluster::Given { .. } => format!("the Kafka at {servers}"),
        Cluster::Shared(_) => format!("the Kafka of `longshore up` at {servers}"),
        Cluster::Owned(_) => format!("a Kafka of its own at {servers}"),
    }
}
