//! The user's side: what a handler is, what it is given, what it answers, and the layers around it.
//! It knows work items, and nothing of Kafka, offsets or transactions.
//!
//! Reading order: the trait, its input (an item or a group, and the context), its answer (an
//! outcome or an error), then how handlers are registered, erased and wrapped.

mod handler;

mod context;
mod group;
mod input;

mod error;
mod fan_out;
mod outcome;
mod output;

mod handlers;
mod service;

mod layers;
mod stack;

pub mod prelude;

pub use context::Context;
pub use error::{HandlerError, Healing, class};
pub use fan_out::{FanOut, Part};
pub use group::{Group, GroupPart};
pub use handler::Handler;
pub use handlers::{Handlers, RegisterError, Registered, UnknownHandler};
pub use input::{Input, InputError, Raw, RawItem, Takes};
pub use layers::at_work;
pub use outcome::Outcome;
pub use output::{Output, OutputKey};
pub use service::{Answer, Service};
pub use stack::{Stack, StackSettings};

#[cfg(test)]
mod samples;
