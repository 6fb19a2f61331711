//! JSON lines that come when they come: standard input.

use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::lines::Lines;
use super::{Place, Polled, Source, SourceError};

/// Lines that are read ahead.
const AHEAD_MAX: usize = 64;
/// How people know it.
const NAME: &str = "standard input";

/// What the thread has read, or why it can't.
type Answer = Result<Polled, SourceError>;

/// The lines of a pipe, read on a thread of its own: a read can't be given up, and a transaction
/// must not wait for the next line. The thread ends at the end of the pipe, at the first line that
/// nobody wants any more, or with the process.
pub struct JsonPipe {
    answers: Receiver<Answer>,
    /// Up to here it was published before: passed over when it comes again.
    published: Place,
    end: Option<Place>,
}

impl JsonPipe {
    /// Begins to read.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn new(
        pipe: impl Read + Send + 'static,
        line_bytes_max: usize,
    ) -> Result<Self, SourceError> {
        let (sender, answers) = sync_channel(AHEAD_MAX);
        thread::Builder::new()
            .name("standard input".to_owned())
            .spawn(move || read(pipe, line_bytes_max, &sender))
            .map_err(|error| SourceError::Open { name: NAME.to_owned(), error })?;
        Ok(Self { answers, published: Place::default(), end: None })
    }

    /// What comes next, published before or not.
    fn next(&mut self, wait: Duration) -> Result<Polled, SourceError> {
        if let Some(end) = self.end {
            return Ok(Polled::End(end));
        }
        match self.answers.recv_timeout(wait) {
            Ok(Ok(Polled::End(place))) => self.ended(place),
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Ok(Polled::Nothing),
            Err(RecvTimeoutError::Disconnected) => Err(unreadable(
                self.published.byte,
                io::Error::other("the thread that reads it has ended"),
            )),
        }
    }

    /// Whether an entry at this place, or the end, comes behind what was published.
    fn is_new(&self, place: Place) -> Result<bool, SourceError> {
        let Place { byte, line } = self.published;
        let name = NAME.to_owned();
        if place.line == line && place.byte != byte && place.byte != byte + 1 {
            return Err(SourceError::Changed { name, line, byte });
        }
        Ok(place.line > line)
    }

    fn ended(&mut self, place: Place) -> Result<Polled, SourceError> {
        let Place { byte, line } = self.published;
        self.is_new(place)?;
        if place.line < line {
            return Err(SourceError::Shorter { name: NAME.to_owned(), line, byte });
        }
        self.end = Some(place);
        Ok(Polled::End(place))
    }
}

impl Source for JsonPipe {
    fn resume(&mut self, place: Place) -> Result<(), SourceError> {
        self.published = place;
        Ok(())
    }

    fn poll(&mut self, wait: Duration) -> Result<Polled, SourceError> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next(left)? {
                Polled::Entry(entry) if !self.is_new(entry.place)? => {
                    if left.is_zero() {
                        return Ok(Polled::Nothing);
                    }
                }
                polled => return Ok(polled),
            }
        }
    }
}

/// Reads until the end, or until nobody listens.
fn read(pipe: impl Read, line_bytes_max: usize, answers: &SyncSender<Answer>) {
    let mut lines = Lines::new(BufReader::new(pipe), Place::default(), line_bytes_max);
    loop {
        let answer = match lines.next_entry() {
            Ok(Some(entry)) => Ok(Polled::Entry(entry)),
            Ok(None) => Ok(Polled::End(lines.place())),
            Err(error) => Err(unreadable(lines.place().byte, error)),
        };
        let is_last = !matches!(answer, Ok(Polled::Entry(_)));
        if answers.send(answer).is_err() || is_last {
            return;
        }
    }
}

fn unreadable(byte: u64, error: io::Error) -> SourceError {
    SourceError::Read { name: NAME.to_owned(), byte, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn rest(bytes: &'static [u8], published: Place) -> Result<(Vec<u64>, Place), SourceError> {
        let mut pipe = JsonPipe::new(bytes, 100)?;
        pipe.resume(published)?;
        let mut lines = Vec::new();
        loop {
            match pipe.poll(PATIENCE)? {
                Polled::Entry(entry) => lines.push(entry.place.line),
                Polled::Nothing => {}
                Polled::End(place) => return Ok((lines, place)),
            }
        }
    }

    #[test]
    fn what_was_published_before_is_passed_over_when_it_comes_again() {
        let end = Place { byte: 6, line: 3 };
        let from = |byte, line| rest(b"1\n2\n3\n", Place { byte, line }).unwrap();
        assert_eq!(from(0, 0), (vec![1, 2, 3], end));
        assert_eq!(from(4, 2), (vec![3], end));
        assert_eq!(from(6, 3), (vec![], end));
    }

    #[test]
    fn another_input_under_the_same_id_is_refused() {
        let error = rest(b"1\n222\n3\n", Place { byte: 4, line: 2 }).unwrap_err();
        assert!(matches!(error, SourceError::Changed { .. }), "{error}");
        let error = rest(b"1\n", Place { byte: 4, line: 2 }).unwrap_err();
        assert!(matches!(error, SourceError::Shorter { .. }), "{error}");
    }

    #[test]
    fn a_quiet_pipe_makes_nobody_wait() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let mut pipe = JsonPipe::new(reader, 100).unwrap();
        assert!(matches!(pipe.poll(Duration::from_millis(1)).unwrap(), Polled::Nothing));
    }

    #[test]
    fn the_end_stays_the_end() {
        let mut pipe = JsonPipe::new(&b""[..], 100).unwrap();
        for _ in 0..2 {
            assert!(matches!(pipe.poll(PATIENCE).unwrap(), Polled::End(_)));
        }
    }
}
