//! A topic, read as it grows.

use std::time::{Duration, Instant};

use super::error::ReadError;
use super::open::{Polled, Reader};
use crate::Record;
use crate::client::detach;

/// Reads a topic without an end.
pub struct Following<'a> {
    reader: &'a mut Reader,
}

impl<'a> Following<'a> {
    pub(super) fn new(reader: &'a mut Reader) -> Self {
        Self { reader }
    }

    /// The next record; none if none came within `wait`.
    pub fn poll(&mut self, wait: Duration) -> Result<Option<Record>, ReadError> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Polled::Record(_, _, record) = self.reader.poll(left, detach)? {
                return Ok(Some(record));
            }
            if left.is_zero() {
                return Ok(None);
            }
        }
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.reader.unassign();
    }
}
