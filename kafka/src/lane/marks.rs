//! Which partitions a group has begun, kept where nothing expires.
//!
//! Kafka drops a group's offsets a week after its last member left (`offsets.retention.minutes`),
//! and anybody may delete them. A partition without progress looks like one that nobody has worked
//! on, and with `start: earliest` all of it would be done again. So each owner of a partition
//! commits its first progress in it together with a mark in a compacted topic: where the mark is
//! and progress isn't, it was lost.

use bytes::Bytes;
use longshore_schemas::{Headers, TopicName};

use crate::{Outgoing, Partition, TopicId};

/// A partition, as one of those that read it sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Who reads it.
    pub(crate) group: &'a str,
    /// The topic that is read.
    pub(crate) topic: &'a TopicName,
    /// Which of its partitions.
    pub(crate) partition: Partition,
}

impl Place<'_> {
    /// The key of its mark.
    pub(crate) fn key(&self) -> String {
        let Self { group, topic, partition } = self;
        format!("{group}/{topic}/{partition}")
    }

    /// Its mark, in the topic of the marks.
    pub(crate) fn mark(&self, marks: &TopicName, id: TopicId) -> Outgoing {
        Outgoing {
            topic: marks.clone(),
            partition: None,
            key: Some(self.key().into()),
            value: Some(id.to_string().into()),
            headers: Headers::new(),
            timestamp: None,
        }
    }
}

/// Whether a mark with this value says that the topic of this id was begun. As with progress, one
/// that doesn't know its topic's id goes for any.
pub(crate) fn is_of(value: Option<&Bytes>, id: TopicId) -> bool {
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    let found: Option<TopicId> = text.and_then(|text| text.parse().ok());
    found.is_some_and(|found| found == id || !found.is_known() || !id.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_which_partition_of_which_topic_was_begun_by_whom() {
        let topic = "orders".into();
        let place = Place { group: "p.price", topic: &topic, partition: Partition(3) };
        let mark = place.mark(&"p.begun".into(), TopicId::new(7));
        assert_eq!(mark.topic.as_str(), "p.begun");
        assert_eq!(mark.key.as_deref(), Some(&b"p.price/orders/3"[..]));
        for (of, says) in [(7, true), (8, false), (0, true)] {
            assert_eq!(is_of(mark.value.as_ref(), TopicId::new(of)), says, "{of}");
        }
        let unknown = place.mark(&"p.begun".into(), TopicId::new(0));
        assert!(is_of(unknown.value.as_ref(), TopicId::new(7)));
        for foreign in [None, Some(Bytes::from_static(b"\xff")), Some(Bytes::new())] {
            assert!(!is_of(foreign.as_ref(), TopicId::new(7)), "{foreign:?}");
        }
    }
}
