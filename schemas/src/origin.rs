//! Where a record comes from: the address that makes every output auditable.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{GroupId, Revision, StageName, TopicName};

/// Room for the numbers of most origins.
const NUMBERS_LEN: usize = 20;

/// The input record and the place among its outputs: `topic/partition/offset/index`. It occurs once
/// for `read_committed` readers (EO-3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The topic of the input record.
    pub topic: TopicName,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Which of its outputs this is: 0, 1, ...
    pub index: u32,
}

impl Origin {
    /// The group that the item at this origin opens.
    pub fn group_id(&self) -> GroupId {
        GroupId::from(format!("{}/{}/{}", self.topic, self.partition, self.offset))
    }

    /// It as text, as [`fmt::Display`] writes it. Every record that is written has one, so it is
    /// made without the machinery of formatting.
    pub fn to_text(&self) -> String {
        let topic = self.topic.as_str();
        let mut text = String::with_capacity(topic.len() + NUMBERS_LEN);
        text.push_str(topic);
        let mut buffer = itoa::Buffer::new();
        text.push('/');
        text.push_str(buffer.format(self.partition));
        text.push('/');
        text.push_str(buffer.format(self.offset));
        text.push('/');
        text.push_str(buffer.format(self.index));
        text
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refused = || OriginError { text: text.into(), form: "topic/partition/offset/index" };
        let mut parts = text.splitn(4, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or_else(refused);
        let origin = Self {
            topic: next()?.into(),
            partition: next()?.parse().map_err(|_| refused())?,
            offset: next()?.parse().map_err(|_| refused())?,
            index: next()?.parse().map_err(|_| refused())?,
        };
        if origin.partition < 0 || origin.offset < 0 {
            return Err(refused());
        }
        Ok(origin)
    }
}

/// The group and the place among the outputs of its gather: `join/group/revision/index`. What an
/// [`Origin`] is to the output of a stage, this is to the result of a join.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultOrigin {
    /// The join, as the pipeline file names it.
    pub join: StageName,
    /// The group whose result it is.
    pub group_id: GroupId,
    /// The revision that it answers.
    pub revision: Revision,
    /// Which of the outputs this is: 0, 1, ...
    pub index: u32,
}

impl fmt::Display for ResultOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.join, self.group_id, self.revision, self.index)
    }
}

impl FromStr for ResultOrigin {
    type Err = OriginError;

    /// A group's id has slashes of its own, so the parts around it are split off at both ends.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refused = || OriginError { text: text.into(), form: "join/group/revision/index" };
        let (rest, index) = text.rsplit_once('/').ok_or_else(refused)?;
        let (rest, revision) = rest.rsplit_once('/').ok_or_else(refused)?;
        let (join, group_id) = rest.split_once('/').ok_or_else(refused)?;
        if join.is_empty() || group_id.is_empty() {
            return Err(refused());
        }
        Ok(Self {
            join: join.into(),
            group_id: group_id.into(),
            revision: Revision(revision.parse().map_err(|_| refused())?),
            index: index.parse().map_err(|_| refused())?,
        })
    }
}

/// The inbox partition to which the outcomes of a group's parts go: `topic/partition`. Every work
/// item of the group carries it, so growing an inbox touches new groups only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inbox {
    /// The inbox topic of the join.
    pub topic: TopicName,
    /// The partition that holds the group's opening.
    pub partition: i32,
}

impl fmt::Display for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

impl FromStr for Inbox {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refused = || OriginError { text: text.into(), form: "topic/partition" };
        let (topic, partition) = text.split_once('/').ok_or_else(refused)?;
        let partition = partition.parse().map_err(|_| refused())?;
        if topic.is_empty() || partition < 0 {
            return Err(refused());
        }
        Ok(Self { topic: topic.into(), partition })
    }
}

/// An address that isn't of its form.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not of the form {form}")]
pub struct OriginError {
    text: String,
    form: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, OriginError> {
        text.parse()
    }

    #[test]
    fn an_origin_reads_as_it_is_written() {
        let read = origin("orders/3/17/2").unwrap();
        assert_eq!((read.partition, read.offset, read.index), (3, 17, 2));
        assert_eq!(read.to_string(), "orders/3/17/2");
        assert_eq!(read.group_id().as_str(), "orders/3/17");
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let texts = ["", "orders", "orders/3/17", "/3/17/2", "orders/-1/17/2", "orders/3/-1/2"];
        for text in texts.into_iter().chain(["orders/3/17/x", "orders/3/17/2/9"]) {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_inbox_reads_as_it_is_written() {
        let inbox: Inbox = "orders.settle.inbox/4".parse().unwrap();
        assert_eq!(inbox.to_string(), "orders.settle.inbox/4");
        for text in ["", "inbox", "/4", "inbox/", "inbox/-1", "inbox/4/5"] {
            assert!(text.parse::<Inbox>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_result_keeps_the_slashes_of_its_group() {
        let read: ResultOrigin = "settle/orders/3/17/1/0".parse().unwrap();
        assert_eq!(read.group_id.as_str(), "orders/3/17");
        assert_eq!((read.revision, read.index), (Revision(1), 0));
        assert_eq!(read.to_string(), "settle/orders/3/17/1/0");
        assert!(origin("settle/orders/3/17/1/0").is_err(), "it is no record's origin");
        for text in ["", "settle/1/0", "settle//1/0", "/orders/1/0", "settle/orders/1/x"] {
            assert!(text.parse::<ResultOrigin>().is_err(), "{text}");
        }
    }
}
