//! A file of JSON lines. It may grow between two runs.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::identity::HEAD_BYTES;
use super::lines::Lines;
use super::{Place, Polled, Source, SourceError, SourceId};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The lines of a file.
pub struct JsonFile {
    name: String,
    file: Arc<File>,
    line_bytes_max: usize,
    lines: Lines<BufReader<Arc<File>>>,
}

impl JsonFile {
    /// Opens a file, at its beginning.
    ///
    /// # Errors
    /// If it can't be opened, or is none.
    pub fn open(path: &Path, line_bytes_max: usize) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(SourceError::Open { name, error }),
        };
        if !metadata.is_file() {
            return Err(SourceError::NotAFile { name });
        }
        let file = Arc::new(file);
        let lines = lines(&file, Place::default(), line_bytes_max);
        Ok(Self { name, file, line_bytes_max, lines })
    }

    /// What it is known by, where `known` have cursors.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn identity<'k>(
        &self,
        known: impl Iterator<Item = &'k str>,
    ) -> Result<SourceId, SourceError> {
        let head = self.bytes_at::<HEAD_BYTES>(0).map_err(|error| self.unreadable(0, error))?;
        Ok(SourceId::file(&head, known))
    }

    /// Where the next line begins, if one ends at `place`.
    fn next_line_at(&self, place: Place) -> io::Result<Result<u64, SourceError>> {
        let (name, Place { byte, line }) = (self.name.clone(), place);
        if self.file.metadata()?.len() < byte {
            return Ok(Err(SourceError::Shorter { name, line, byte }));
        }
        let Some(before) = byte.checked_sub(1) else { return Ok(Ok(0)) };
        Ok(match self.bytes_at::<2>(before)?[..] {
            [b'\n', ..] | [_] => Ok(byte),
            // It had no end when it was published, and has it now.
            [_, b'\n'] => Ok(byte + 1),
            _ => Err(SourceError::Changed { name, line, byte }),
        })
    }

    /// So many bytes from there on, or fewer at the end.
    fn bytes_at<const COUNT: usize>(&self, byte: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; COUNT];
        let mut read = 0;
        while read < COUNT {
            match self.file.read_at(&mut bytes[read..], byte + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(read);
        Ok(bytes)
    }

    fn go_to(&mut self, place: Place) -> io::Result<()> {
        self.file.as_ref().seek(SeekFrom::Start(place.byte))?;
        self.lines = lines(&self.file, place, self.line_bytes_max);
        Ok(())
    }

    fn unreadable(&self, byte: u64, error: io::Error) -> SourceError {
        SourceError::Read { name: self.name.clone(), byte, error }
    }
}

impl Source for JsonFile {
    fn resume(&mut self, place: Place) -> Result<(), SourceError> {
        let byte = place.byte;
        let next = self.next_line_at(place).map_err(|error| self.unreadable(byte, error))??;
        let next = Place { byte: next, ..place };
        self.go_to(next).map_err(|error| self.unreadable(byte, error))
    }

    fn poll(&mut self, _: Duration) -> Result<Polled, SourceError> {
        match self.lines.next_entry() {
            Ok(Some(entry)) => Ok(Polled::Entry(entry)),
            Ok(None) => Ok(Polled::End(self.lines.place())),
            Err(error) => Err(self.unreadable(self.lines.place().byte, error)),
        }
    }
}

fn lines(file: &Arc<File>, place: Place, line_bytes_max: usize) -> Lines<BufReader<Arc<File>>> {
    let reader = BufReader::with_capacity(BUFFER_BYTES, Arc::clone(file));
    Lines::new(reader, place, line_bytes_max)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn open(file: &tempfile::NamedTempFile) -> JsonFile {
        JsonFile::open(file.path(), 100).unwrap()
    }

    /// The numbers of all lines that come, and the end.
    fn rest(file: &mut JsonFile) -> (Vec<u64>, Place) {
        let mut lines = Vec::new();
        loop {
            match file.poll(Duration::ZERO).unwrap() {
                Polled::Entry(entry) => lines.push(entry.place.line),
                Polled::Nothing => panic!("a file never makes wait"),
                Polled::End(place) => return (lines, place),
            }
        }
    }

    fn resumed(bytes: &[u8], byte: u64, line: u64) -> Result<(Vec<u64>, Place), SourceError> {
        let mut file = open(&written(bytes));
        file.resume(Place { byte, line })?;
        Ok(rest(&mut file))
    }

    #[test]
    fn a_file_goes_on_behind_each_of_its_lines() {
        let bytes = b"1\n22\n333\n";
        let end = Place { byte: 9, line: 3 };
        assert_eq!(resumed(bytes, 0, 0).unwrap(), (vec![1, 2, 3], end));
        assert_eq!(resumed(bytes, 2, 1).unwrap(), (vec![2, 3], end));
        assert_eq!(resumed(bytes, 5, 2).unwrap(), (vec![3], end));
        assert_eq!(resumed(bytes, 9, 3).unwrap(), (vec![], end));
    }

    #[test]
    fn a_line_that_has_got_its_end_since_is_not_counted_twice() {
        assert_eq!(resumed(b"1\n2", 3, 2).unwrap().0, [0_u64; 0]);
        assert_eq!(resumed(b"1\n2\n", 3, 2).unwrap(), (vec![], Place { byte: 4, line: 2 }));
        assert_eq!(resumed(b"1\n2\n3\n", 3, 2).unwrap().0, [3]);
    }

    #[test]
    fn a_file_that_is_not_what_it_was_is_refused() {
        let error = resumed(b"1\n", 9, 3).unwrap_err();
        assert!(matches!(error, SourceError::Shorter { .. }), "{error}");
        let error = resumed(b"1\n2345\n", 4, 2).unwrap_err();
        assert!(matches!(error, SourceError::Changed { line: 2, byte: 4, .. }), "{error}");
    }

    #[test]
    fn the_identity_is_that_of_the_content_and_reading_it_moves_nothing() {
        let (one, copy) = (written(b"1\n2\n"), written(b"1\n2\n"));
        let mut one = open(&one);
        let id = one.identity(std::iter::empty()).unwrap();
        assert_eq!(open(&copy).identity(std::iter::empty()).unwrap(), id);
        assert_eq!(rest(&mut one).0, [1, 2]);
    }

    #[test]
    fn what_is_no_file_is_named() {
        let error = JsonFile::open(Path::new("/no/such"), 1).err().unwrap().to_string();
        assert!(error.contains("/no/such"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let error = JsonFile::open(folder.path(), 1).err().unwrap();
        assert!(matches!(error, SourceError::NotAFile { .. }), "{error}");
    }
}
