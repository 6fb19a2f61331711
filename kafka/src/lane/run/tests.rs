//! Whole lanes over the model broker: by examples, and by seeds that decide what goes wrong.

mod begun;
mod by_example;
mod by_seed;
mod delivering;
mod fixture;
mod leaving;
mod lost;
mod quiet;
mod room;
mod settling;
mod starting;
