//! A proxy in front of Kafka that breaks connections on purpose, request by request.
//!
//! It stands between clients and one broker, which must advertise the proxy's address: clients go
//! where metadata sends them. It reads the frames of Kafka's protocol without TLS, so it can lose
//! the answer to one kind of request, or keep a request back until its client has given it up.

mod api_key;
mod error;
mod frames;

mod counts;
mod rules;
mod traps;

mod control;
mod link;

mod answers;
mod pace;
mod requests;

mod proxy;

mod run_schedule;
mod schedule;

pub use api_key::ApiKey;
pub use control::Control;
pub use counts::Counts;
pub use error::ChaosError;
pub use proxy::Proxy;
pub use rules::Rules;
pub use run_schedule::run_schedule;
pub use schedule::{Disturbance, Fault, Schedule};
pub use traps::{Then, Trap};
