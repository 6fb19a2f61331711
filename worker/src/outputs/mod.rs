//! What is written for an item: a file for each way in which it can end. All of it is pure.

mod hop;

mod fan_out;
mod part_outcome;
mod to_join;
mod to_topic;

mod ending;
mod given_up;

pub(crate) use ending::{Ending, of};
pub(crate) use given_up::{GivenUp, given_up};
pub(crate) use hop::Hop;

#[cfg(test)]
mod tests;
