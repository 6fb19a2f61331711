//! The fleet behind a network that loses answers and delivers requests late, and on brokers that
//! die in turn.
//!
//! Each test asserts that nothing was lost or doubled, also for a reader that looked on, and that
//! what it is about has happened. `LONGSHORE_FAULT_ROUNDS` multiplies the faults, for a long run.

mod late;
mod random;
mod swallowed;

mod frozen;

mod broker_deaths;
mod lookups;
mod rolling;
mod slots;

mod bounded;

mod trial;
