//! The rules of the house that a machine can hold. Functions of more than 70 lines or 5 parameters
//! are held by clippy, licences and sources of dependencies by cargo-deny.

mod exemptions;
mod sources;

mod arrows;
mod metric_names;
mod places;
mod shape;
mod words;
