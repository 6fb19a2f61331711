//! What every line says beside what it is told: which item is at work where it is written.

/// Tells the fields of whatever is at work on this thread, outermost first; none if nothing is. It
/// is asked for each line, so that what isn't logged costs nothing.
pub type Surroundings = fn(&mut dyn FnMut(&'static str, LogValue<'_>));

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogValue<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(i64),
}
