//! The headers of a record: an ordered list, names may repeat, the last one wins.

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::names::interned;
use super::{ID, IDEMPOTENCY_KEY, OURS};

/// Headers of ours that a source's producers may set.
const OF_PRODUCERS: [&str; 2] = [ID, IDEMPOTENCY_KEY];

/// The headers of one record, in their order on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Cow<'static, str>, Option<Bytes>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// No headers, and room for some.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds a header behind all others. Kafka allows a header without a value.
    pub fn push(&mut self, name: &str, value: Option<Bytes>) {
        let name = interned(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
        self.0.push((name, value));
    }

    /// Replaces every header of this name with one.
    pub fn set(&mut self, name: &str, value: impl Into<Bytes>) {
        self.remove(name);
        self.push(name, Some(value.into()));
    }

    /// The same, for a value that is written as text.
    pub fn set_text(&mut self, name: &str, value: impl Display) {
        self.set(name, value.to_string());
    }

    /// Takes every header of this name away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| &**other != name);
    }

    /// The last value of this name.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().rev().find(|(other, _)| &**other == name)?.1.as_ref()
    }

    /// The last value of this name, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// The last value of this name, if it is text that reads as a `T`.
    pub fn parse<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// Whether a header of this name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| &**other == name)
    }

    /// Keeps the headers whose name passes.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// A copy of the headers whose name passes, with room for `more`.
    #[must_use]
    pub fn some(&self, mut keep: impl FnMut(&str) -> bool, more: usize) -> Self {
        let mut some = Self::with_capacity(self.0.len() + more);
        some.0.extend(self.0.iter().filter(|(name, _)| keep(name)).cloned());
        some
    }

    /// Takes the headers of ours away that only a pipeline may write: a source's records may have
    /// been given them by anyone. What an item is called, and what makes its effects safe to
    /// repeat, is for its producer to say.
    pub fn strip_ours(&mut self) {
        self.retain(|name| !name.starts_with(OURS) || OF_PRODUCERS.contains(&name));
    }

    /// Every header, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Bytes>)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_ref()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of names and values, as they count towards a record's size.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.as_ref().map_or(0, Bytes::len)).sum()
    }
}
