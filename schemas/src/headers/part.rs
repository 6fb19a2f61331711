//! What the headers of a part say: which group it belongs to and where its outcome goes.

use super::reading::{parsed, required_name};
use super::{ATTEMPT, GROUP, HeaderError, Headers, INBOX, OPENED_AT, PART, REVISION, RUN, run_id};
use crate::{GroupId, Inbox, PartId, Revision, RunId, Timestamp};

/// The headers of which a part has all, and what is no part has none.
const SET: [&str; 6] = [GROUP, REVISION, OPENED_AT, PART, INBOX, ATTEMPT];

/// What a numbered header should be.
const COUNT_FORM: &str = "a number from 0 to 4294967295";

/// What makes an item a part of a group: set by the splitter, copied into the part's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartHeaders {
    /// The group.
    pub group_id: GroupId,
    /// Its revision.
    pub revision: Revision,
    /// When it was opened, by the splitter's clock.
    pub opened_at: Timestamp,
    /// The part's number within the group.
    pub part_id: PartId,
    /// Where its outcome goes.
    pub inbox: Inbox,
    /// How many times it was sent through its stage before.
    pub attempt: u32,
    /// The run that it belongs to, if any.
    pub run_id: Option<RunId>,
}

impl PartHeaders {
    /// What the headers say; none if the item isn't a part. A run alone doesn't make it one.
    ///
    /// # Errors
    /// If some but not all of them are there, or one can't be read.
    pub fn read(headers: &Headers) -> Result<Option<Self>, HeaderError> {
        if !headers.iter().any(|(name, _)| SET.contains(&name)) {
            return Ok(None);
        }
        Ok(Some(Self {
            group_id: required_name(headers, GROUP)?.into(),
            revision: Revision(parsed(headers, REVISION, COUNT_FORM)?),
            opened_at: Timestamp(parsed(headers, OPENED_AT, "milliseconds since 1970")?),
            part_id: PartId(parsed(headers, PART, COUNT_FORM)?),
            inbox: parsed(headers, INBOX, "topic/partition")?,
            attempt: parsed(headers, ATTEMPT, COUNT_FORM)?,
            run_id: run_id(headers)?,
        }))
    }

    /// Makes an item this part, whatever it was before.
    pub fn write(&self, headers: &mut Headers) {
        headers.set_text(GROUP, &self.group_id);
        headers.set_text(REVISION, self.revision);
        headers.set_text(OPENED_AT, self.opened_at.0);
        headers.set_text(PART, self.part_id);
        headers.set_text(INBOX, &self.inbox);
        headers.set_text(ATTEMPT, self.attempt);
        match &self.run_id {
            Some(run_id) => headers.set_text(RUN, run_id),
            None => headers.remove(RUN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> PartHeaders {
        PartHeaders {
            group_id: "orders/3/17".into(),
            revision: Revision::FIRST,
            opened_at: Timestamp(1_700_000_000_000),
            part_id: PartId(4),
            inbox: Inbox { topic: "orders.settle.inbox".into(), partition: 3 },
            attempt: 0,
            run_id: Some("run-1".into()),
        }
    }

    fn written() -> Headers {
        let mut headers = Headers::new();
        part().write(&mut headers);
        headers
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        assert_eq!(PartHeaders::read(&written()), Ok(Some(part())));
    }

    #[test]
    fn an_item_with_none_of_them_is_no_part() {
        let mut headers = Headers::new();
        headers.set(RUN, "run-1");
        assert_eq!(PartHeaders::read(&headers), Ok(None));
    }

    #[test]
    fn each_of_them_is_missed_by_name() {
        for header in SET {
            let mut headers = written();
            headers.remove(header);
            assert_eq!(PartHeaders::read(&headers), Err(HeaderError::Missing { header }));
        }
    }

    #[test]
    fn each_of_them_is_refused_by_name_when_it_cannot_be_read() {
        for header in SET {
            let mut headers = written();
            headers.set(header, &b"\xFF"[..]);
            let error = PartHeaders::read(&headers).unwrap_err();
            assert!(
                matches!(error, HeaderError::Unreadable { header: named, .. } if named == header),
                "{error}"
            );
        }
    }

    #[test]
    fn a_part_without_a_run_leaves_none_behind() {
        let mut headers = written();
        PartHeaders { run_id: None, ..part() }.write(&mut headers);
        assert!(!headers.contains(RUN));
    }
}
