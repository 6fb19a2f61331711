//! What can be asked of the demo, and the times that follow from it.

use std::time::Duration;

/// How long a join waits where nobody is killed: everything that isn't meant to be late is done
/// long before.
const CALM_TIMEOUT: Duration = Duration::from_secs(10);
/// The same where processes are killed: long enough for all of the work, kills included, so that
/// only the parts that are meant to be late are.
const KILL_TIMEOUT: Duration = Duration::from_secs(45);
/// What a run may take beside its timeouts, however small it is.
const GRACE: Duration = Duration::from_secs(60);
/// What each order may take on a slow machine: ten times what it takes on two busy cores.
const PER_ORDER: Duration = Duration::from_millis(10);

/// What can be asked of the demo.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// TPC-H's scale factor: 0.01 is 15,000 orders with about 60,000 lines
    #[arg(long, default_value = "0.01", value_parser = scale)]
    pub scale: f64,
    /// Worker processes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub workers: u32,
    /// Coordinator processes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub coordinators: u32,
    /// Decides which lines go wrong, and who is killed
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Kill -9 a worker or a coordinator every two seconds, and restart it at once
    #[arg(long)]
    pub kill: bool,
    /// Leave the topics to be looked at, and say how
    #[arg(long)]
    pub keep: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if (0.001..=10.0).contains(&scale) => Ok(scale),
        _ => Err("a scale is a number from 0.001 to 10, such as 0.01".to_owned()),
    }
}

impl Args {
    /// How long the join waits for the parts of an order.
    pub fn join_timeout(&self) -> Duration {
        if self.kill { KILL_TIMEOUT } else { CALM_TIMEOUT }
    }

    /// After this long a run that isn't over has failed. A late part may be begun anew by a kill,
    /// and takes a little more than the join's timeout.
    pub fn deadline(&self, orders: usize) -> Duration {
        let work = PER_ORDER * u32::try_from(orders).unwrap_or(u32::MAX);
        GRACE + self.join_timeout() * 3 + if self.kill { work * 3 } else { work }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(arguments: &[&str]) -> Result<Args, clap::Error> {
        let arguments = std::iter::once(&"demo").chain(arguments);
        CommandLine::try_parse_from(arguments).map(|it| it.args)
    }

    #[test]
    fn a_scale_that_is_no_scale_is_refused() {
        for wrong in ["0", "-1", "nan", "a lot", "11"] {
            assert!(parsed(&[&format!("--scale={wrong}")]).is_err(), "{wrong}");
        }
        assert_eq!(parsed(&[]).unwrap().scale, 0.01);
    }

    #[test]
    fn kills_and_more_orders_are_given_more_time() {
        let (calm, kill) = (parsed(&[]).unwrap(), parsed(&["--kill"]).unwrap());
        assert!(calm.deadline(15_000) < kill.deadline(15_000));
        assert!(calm.deadline(15_000) < calm.deadline(150_000));
        assert!(calm.join_timeout() < kill.join_timeout());
    }
}
