//! The dead letter of an entry that is no item, or that no topic takes.
//!
//! It has the entry's own bytes, and the headers of every dead letter, so that one tool reads them
//! all. What comes from a file has no topic to come from: its origin is the file's name, partition
//! 0 and the number of its line; beside it stand the full name and the number, in headers of their
//! own.

use bytes::Bytes;
use longshore_kafka::{Outgoing, Refusal};
use longshore_schemas::headers::{ERROR_MESSAGE, Failure, ID, LINE, SOURCE};
use longshore_schemas::{Headers, Origin, Timestamp};

use crate::recipe::{Recipe, Unfit};
use crate::source::Place;

/// The stage that dead letters name.
const STAGE: &str = "source";
/// The kind of error of an item that its topic doesn't take.
const REFUSED: &str = "refused";
/// Bytes that are kept of an entry whose dead letter is refused as well.
const CUT_BYTES: usize = 16 * 1024;

impl Recipe {
    /// For an entry that is no item.
    pub(crate) fn unfit(&self, place: Place, original: Bytes, unfit: &Unfit) -> Outgoing {
        let failure = self.failure(place, unfit.class(), unfit.to_string(), 0);
        self.dead_letter(place, original, &failure)
    }

    /// For an item that its topic has refused.
    pub(crate) fn refused(&self, place: Place, original: Bytes, refusal: &Refusal) -> Outgoing {
        let Refusal { topic, code, message } = refusal;
        let message = format!("refused by topic {topic}: {message} ({code})");
        let failure = self.failure(place, REFUSED, message, 1);
        self.dead_letter(place, original, &failure)
    }

    fn failure(&self, place: Place, class: &str, message: String, attempts: u32) -> Failure {
        Failure {
            class: class.to_owned(),
            message,
            origin: Origin {
                topic: last_segment(&self.name).into(),
                partition: 0,
                offset: i64::try_from(place.line).unwrap_or(i64::MAX),
                index: 0,
            },
            attempts,
            stage: STAGE.into(),
            failed_at: Timestamp::now(),
            item_time: None,
        }
    }

    fn dead_letter(&self, place: Place, original: Bytes, failure: &Failure) -> Outgoing {
        let mut headers = Headers::new();
        headers.set_text(ID, self.item_id(place));
        headers.set_text(SOURCE, &self.name);
        headers.set_text(LINE, place.line);
        failure.write(&mut headers);
        Outgoing {
            topic: self.topics.dead_letters.clone(),
            partition: None,
            key: None,
            value: Some(original),
            headers,
            timestamp: None,
        }
    }
}

/// The same dead letter with the beginning of its entry only; none if it is short already.
pub(crate) fn cut(dead_letter: &Outgoing) -> Option<Outgoing> {
    let value = dead_letter.value.as_ref().filter(|value| value.len() > CUT_BYTES)?;
    let message = dead_letter.headers.text(ERROR_MESSAGE).unwrap_or_default();
    let (len, mut cut) = (value.len(), dead_letter.clone());
    let message = format!("only the first {CUT_BYTES} of {len} bytes are kept here; {message}");
    cut.headers.set_text(ERROR_MESSAGE, message);
    cut.value = Some(value.slice(..CUT_BYTES));
    Some(cut)
}

/// An origin's parts are separated by slashes, so its name has none.
fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().filter(|segment| !segment.is_empty()).unwrap_or("source")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::source::BadLine;

    fn dead_letter(original: Bytes) -> Outgoing {
        let unfit = Unfit::Line(BadLine::NotUtf8 { at: 3 });
        samples::recipe().unfit(Place { byte: 90, line: 7 }, original, &unfit)
    }

    #[test]
    fn it_has_the_bytes_of_the_entry_and_reads_as_every_dead_letter() {
        let letter = dead_letter(Bytes::from_static(b"ab\xFF"));
        assert_eq!(letter.value.as_deref(), Some(&b"ab\xFF"[..]));
        assert_eq!(letter.topic.as_str(), "items-dlt");
        let failure = Failure::read(&letter.headers).unwrap().unwrap();
        assert_eq!(failure.class, "not_utf8");
        assert_eq!(failure.message, "the line is not UTF-8 from its byte 3 on");
        assert_eq!(failure.origin.to_string(), "sample.jsonl/0/7/0");
        assert_eq!(letter.headers.text(SOURCE), Some("/data/sample.jsonl"));
        assert_eq!(letter.headers.text(LINE), Some("7"));
    }

    #[test]
    fn one_that_is_refused_is_cut_once() {
        let letter = dead_letter(vec![b'x'; 100_000].into());
        let shorter = cut(&letter).unwrap();
        assert_eq!(shorter.value.as_ref().unwrap().len(), CUT_BYTES);
        let message = shorter.headers.text(ERROR_MESSAGE).unwrap();
        assert!(message.contains("100000") && message.contains("UTF-8"), "{message}");
        assert!(cut(&shorter).is_none());
    }
}
