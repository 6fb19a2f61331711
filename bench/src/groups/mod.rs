//! Groups of parts: which there are and in which order their records stand; how the two kinds of
//! programs write them; what is to come of each.

mod gathered;
mod order;

mod form;
mod inbox;
mod plain;

mod check;
mod fill;

pub use gathered::Gathered;
pub use inbox::PART_STAGE;
pub use order::Groups;

pub(crate) use check::check;
pub(crate) use fill::fill;
pub(crate) use form::Form;
pub(crate) use inbox::{GROUP_TIMEOUT, Inbox};
pub(crate) use order::{Step, id};
pub(crate) use plain::Plain;
