//! Bytes cut into lines, each of bounded length, and read as JSON.

use std::io::{self, BufRead};

use bytes::Bytes;
use serde_json::Value as Json;

use super::{BadLine, Entry, Place};

/// The lines of a reader. The last one may lack its end.
pub(super) struct Lines<R> {
    reader: R,
    place: Place,
    bytes_max: usize,
}

/// A line without its end, cut to its bound.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    len: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of what is read from `place` on.
    pub(super) fn new(reader: R, place: Place, bytes_max: usize) -> Self {
        Self { reader, place, bytes_max }
    }

    /// The place behind what was read.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The next line that isn't blank; none at the end.
    pub(super) fn next_entry(&mut self) -> io::Result<Option<Entry>> {
        while let Some(line) = self.next_line()? {
            if !line.is_blank() {
                let content = line.parse(self.bytes_max);
                let (place, original) = (self.place, Bytes::from(line.bytes));
                return Ok(Some(Entry { place, original, content }));
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line::default();
        let begin = self.place.byte;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            line.add(&buffer[..end.unwrap_or(buffer.len())], self.bytes_max);
            let taken = end.map_or(buffer.len(), |end| end + 1);
            let is_over = end.is_some() || taken == 0;
            self.reader.consume(taken);
            self.place.byte += taken as u64;
            if is_over && self.place.byte == begin {
                return Ok(None);
            }
            if is_over {
                self.place.line += 1;
                return Ok(Some(line));
            }
        }
    }
}

impl Line {
    fn add(&mut self, bytes: &[u8], bytes_max: usize) {
        let room = bytes_max - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.len += bytes.len() as u64;
    }

    fn is_blank(&self) -> bool {
        self.len == self.bytes.len() as u64 && self.bytes.trim_ascii().is_empty()
    }

    fn parse(&self, max: usize) -> Result<Json, BadLine> {
        if self.len > self.bytes.len() as u64 {
            return Err(BadLine::TooLong { len: self.len, max });
        }
        let text = std::str::from_utf8(&self.bytes)
            .map_err(|error| BadLine::NotUtf8 { at: error.valid_up_to() + 1 })?;
        serde_json::from_str(text).map_err(|error| BadLine::NotJson { reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(bytes: &[u8]) -> (Vec<Entry>, Place) {
        // A small buffer, so that lines cross its bounds.
        let reader = io::BufReader::with_capacity(3, bytes);
        let mut lines = Lines::new(reader, Place::default(), 10);
        let mut entries = Vec::new();
        while let Some(entry) = lines.next_entry().unwrap() {
            entries.push(entry);
        }
        (entries, lines.place())
    }

    fn bad(bytes: &[u8]) -> BadLine {
        let (entries, _) = entries(bytes);
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        entry.content.clone().unwrap_err()
    }

    #[test]
    fn lines_have_their_places_and_blank_ones_only_count() {
        let (entries, end) = entries(b"{\"a\":1}\n\n \r\n[2]\r\n3");
        let places: Vec<_> = entries.iter().map(|it| (it.place.line, it.place.byte)).collect();
        assert_eq!(places, [(1, 8), (4, 17), (5, 18)]);
        assert_eq!(end, Place { byte: 18, line: 5 });
        assert_eq!(entries[1].original, &b"[2]\r"[..]);
        assert_eq!(entries[2].content, Ok(Json::from(3)));
    }

    #[test]
    fn nothing_is_no_line() {
        assert_eq!(entries(b"").1, Place::default());
    }

    #[test]
    fn a_line_that_is_too_long_is_kept_in_part_and_passed_over() {
        let (entries, _) = entries(b"\"0123456789\"\n1\n");
        assert_eq!(entries[0].content, Err(BadLine::TooLong { len: 12, max: 10 }));
        assert_eq!(entries[0].original, &b"\"012345678"[..]);
        assert_eq!(entries[1].place, Place { byte: 15, line: 2 });
    }

    #[test]
    fn a_line_of_the_greatest_length_is_none_too_long() {
        assert_eq!(entries(b"\"01234567\"\n").0[0].content, Ok(Json::from("01234567")));
    }

    #[test]
    fn what_is_no_text_and_what_is_no_json_is_bad() {
        assert_eq!(bad(b"\"\xFF\"\n"), BadLine::NotUtf8 { at: 2 });
        let error = bad(b"{\"a\":}\n").to_string();
        assert!(error.contains("not JSON") && error.contains("column 6"), "{error}");
        assert!(matches!(bad(b"1 2\n"), BadLine::NotJson { .. }));
    }
}
