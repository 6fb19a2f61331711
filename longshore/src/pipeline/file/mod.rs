//! The pipeline file: strict YAML, every problem in it named with its line.

mod read;
mod section;
mod tree;

pub use read::{LoadError, load, read};
pub(super) use section::{FromNode, Section};
pub(super) use tree::Node;
