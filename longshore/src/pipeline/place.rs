//! Where in a pipeline file something stands, so that a problem can point at it.

/// A place in a pipeline file, or none: a pipeline written in Rust has no lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In Rust code.
    #[default]
    Code,
    /// In the file, both counted from 1, the column in characters.
    File {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
}

/// A value and the place where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> Placed<T> {
    /// A value given by Rust code.
    pub(super) fn in_code(value: T) -> Self {
        Self { value, place: Place::Code }
    }
}
