//! JSON to Avro by any user's schema, whose types the program doesn't know.

mod misfit;
mod shape;

mod convert;
mod instant;

mod encoder;

pub use encoder::JsonEncoder;
pub use misfit::{Misfit, SchemaProblem};

#[cfg(test)]
mod tests;
