//! The fleet as a whole, on a real Kafka: what the tests in `tests/` speak with.
//!
//! Reading order: the work that is done, the program that does it, the crash in the middle of it;
//! then the Kafka it runs on, the processes of a fleet and their clocks, what is found in its
//! topics, and what has to hold of that.

mod work;

mod crash;
mod crashing_worker;

mod wait;

mod clock;
mod cluster;
mod pipeline;

mod fleet;
mod ledger;
mod onlooker;
mod process;
mod rounds;

mod watch;

pub use clock::WrongClock;
pub use cluster::Cluster;
pub use crash::Phase;
pub use crashing_worker::crash_at;
pub use fleet::Fleet;
pub use ledger::Ledger;
pub use onlooker::Onlooker;
pub use pipeline::Shape;
pub use process::Process;
pub use rounds::{Rounds, echoes, naps};
pub use wait::{DEADLINE, until, until_caught};
pub use watch::Watch;
pub use work::{Job, handlers};

/// What the README shows compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
