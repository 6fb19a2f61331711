//! Lines as they were written, for tests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Where lines go.
#[derive(Clone, Default)]
pub(super) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    /// Makes its writers.
    pub(super) fn writer(&self) -> impl Fn() -> Sink + Send + Sync + use<> {
        let sink = self.clone();
        move || sink.clone()
    }

    /// All that was written.
    pub(super) fn text(&self) -> String {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
