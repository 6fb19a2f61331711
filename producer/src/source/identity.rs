//! By what a source is known again, wherever it lies and whatever it is called.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

/// Bytes at a file's beginning that tell it from others.
pub(super) const HEAD_BYTES: usize = 4096;

/// Bytes of a digest that are kept: 128 bits.
const DIGEST_BYTES: usize = 16;
/// What begins the identity of a file.
const FILE: &str = "file";

/// The identity of a source. It keys the cursor, so whatever has the same one is the same run.
///
/// - Orders of TPC-H: generator and scale, which decide them wholly.
/// - A file: its first 4 KiB, or all of it if it is shorter. So a copy and a renamed file are the
///   same, and a file that has grown is, too: it is recognised by the longest beginning that has a
///   cursor. Another file with the same beginning is taken for it, and refused unless a line ends
///   where one did; two files that shall be told apart need source ids.
/// - Standard input: never the same twice, so a restart publishes it again.
/// - Whatever else the caller says: a source id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceId(String);

impl SourceId {
    /// The identity that the caller gives.
    pub fn given(id: &str) -> Self {
        Self(format!("id/{id}"))
    }

    pub(super) fn tpch_orders(scale: f64) -> Self {
        Self(format!("tpch-orders/{scale}"))
    }

    /// An identity that no other source has or will have.
    pub(super) fn never_again() -> Self {
        Self(format!("once/{:032x}", rand::random::<u128>()))
    }

    /// The identity of the file with this beginning, of which `known` have cursors.
    pub(super) fn file<'k>(head: &[u8], known: impl Iterator<Item = &'k str>) -> Self {
        let grown_from = |id: &&str| begins_as(head, id).is_some();
        let longest = known.filter(grown_from).max_by_key(|id| begins_as(head, id));
        Self(longest.map_or_else(|| of_head(head), str::to_owned))
    }

    /// It, as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn of_head(head: &[u8]) -> String {
    let mut id = format!("{FILE}/{}/", head.len());
    for byte in &Sha256::digest(head)[..DIGEST_BYTES] {
        // Writing to a string can't fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The length of the head by which `id` knows a file, if the file with this head is it. An empty
/// one would be the beginning of every file.
fn begins_as(head: &[u8], id: &str) -> Option<usize> {
    let (length, _) = id.strip_prefix(FILE)?.strip_prefix('/')?.split_once('/')?;
    let length: usize = length.parse().ok().filter(|length| *length > 0)?;
    (of_head(head.get(..length)?) == id).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(head: &[u8], known: &[&SourceId]) -> SourceId {
        SourceId::file(head, known.iter().map(|it| it.as_str()))
    }

    #[test]
    fn a_file_is_known_by_its_beginning() {
        let one = identity(b"{\"a\":1}\n", &[]);
        assert_eq!(identity(b"{\"a\":1}\n", &[]), one);
        assert_ne!(identity(b"{\"a\":2}\n", &[]), one);
    }

    #[test]
    fn a_file_that_has_grown_keeps_its_identity() {
        let short = identity(b"1\n", &[]);
        let longer = identity(b"1\n2\n", &[]);
        assert_ne!(short, longer);
        assert_eq!(identity(b"1\n2\n3\n", &[&short]), short);
        assert_eq!(identity(b"1\n2\n3\n", &[&longer, &short]), longer);
    }

    #[test]
    fn cursors_of_others_are_not_taken_for_ones_own() {
        let other = identity(b"2\n", &[]);
        let known = [&other, &SourceId::given("x"), &SourceId::tpch_orders(1.0)];
        assert_eq!(identity(b"1\n", &known), identity(b"1\n", &[]));
    }

    #[test]
    fn an_empty_file_is_the_beginning_of_none() {
        let empty = identity(b"", &[]);
        assert_ne!(identity(b"1\n", &[&empty]), empty);
        assert_eq!(identity(b"", &[&empty]), empty);
    }
}
