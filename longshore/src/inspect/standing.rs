//! Where a group stands in a partition: its committed progress beside the log's bounds.

use longshore_kafka::admin::Watermarks;
use longshore_kafka::lane::broker::Committed;
use longshore_kafka::lane::progress::{FinishedMap, Metadata, MetadataError};
use longshore_kafka::{Offset, Partition, TopicId};

/// A partition, its log and a group's progress in it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Which.
    pub partition: Partition,
    /// How far its log reaches.
    pub log: Watermarks,
    /// How far the group has come.
    pub progress: Progress,
}

/// Committed progress, as far as it can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is none.
    None,
    /// A position with nothing of ours beside it: nothing is finished ahead.
    Plain(Offset),
    /// A position, and what stands beside it.
    Ours(Box<Metadata>),
    /// A position beside which stands what can't be used.
    Unusable {
        /// The position.
        position: Offset,
        /// What is wrong.
        reason: MetadataError,
    },
}

impl Progress {
    /// Reads what was committed in the topic with this id.
    pub fn in_topic(committed: Option<Committed>, topic_id: TopicId) -> Self {
        match Self::of(committed) {
            Self::Ours(metadata) => match metadata.check_topic(topic_id) {
                Ok(()) => Self::Ours(metadata),
                Err(reason) => Self::Unusable { position: metadata.base, reason },
            },
            other => other,
        }
    }

    /// Reads what was committed.
    pub fn of(committed: Option<Committed>) -> Self {
        let Some(Committed { offset, metadata }) = committed else {
            return Self::None;
        };
        match Metadata::parse(&metadata, offset) {
            Ok(None) => Self::Plain(offset),
            Ok(Some(metadata)) => Self::Ours(Box::new(metadata)),
            Err(reason) => Self::Unusable { position: offset, reason },
        }
    }

    /// The next offset that isn't finished.
    pub fn position(&self) -> Option<Offset> {
        match self {
            Self::None => None,
            Self::Plain(position) | Self::Unusable { position, .. } => Some(*position),
            Self::Ours(metadata) => Some(metadata.base),
        }
    }

    /// What is finished ahead of the position, if that is known and anything.
    pub fn finished(&self) -> Option<&FinishedMap> {
        match self {
            Self::Ours(metadata) => Some(&metadata.finished),
            Self::None | Self::Plain(_) | Self::Unusable { .. } => None,
        }
    }

    /// Whether there is something beside the position that can't be used.
    pub fn is_unusable(&self) -> bool {
        matches!(self, Self::Unusable { .. })
    }

    /// Whether an offset is finished; none if it can't be known.
    pub fn finishes(&self, offset: Offset) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Plain(position) => Some(offset < *position),
            Self::Ours(it) => Some(offset < it.base || it.finished.contains(offset)),
            Self::Unusable { position, .. } => (offset < *position).then_some(true),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Progress of ours at `position` with these ranges finished ahead.
    pub(crate) fn ours(position: i64, ahead: &[(i64, i64)]) -> Progress {
        let mut finished = FinishedMap::default();
        for &(from, to) in ahead {
            finished.push(Offset(from), Offset(to));
        }
        Progress::Ours(Box::new(Metadata {
            base: Offset(position),
            owner: "a1".into(),
            seq: 3,
            order: "k".into(),
            topic: Some(TopicId::new(1)),
            guard: "-".into(),
            state: String::new(),
            finished,
        }))
    }

    pub(crate) fn standing(start: i64, end: i64, progress: Progress) -> Standing {
        let log = Watermarks {
            partition: Partition(0),
            log_start: Offset(start),
            last_stable: Offset(end),
            high: Offset(end),
        };
        Standing { partition: Partition(0), log, progress }
    }

    #[test]
    fn what_is_finished_is_below_the_position_or_in_the_map() {
        let progress = ours(10, &[(12, 14)]);
        let finished = |offset| progress.finishes(Offset(offset));
        assert_eq!(
            [9, 10, 12, 14].map(finished),
            [Some(true), Some(false), Some(true), Some(false)]
        );
        assert_eq!(Progress::None.finishes(Offset(0)), Some(false));
        assert_eq!(Progress::Plain(Offset(5)).finishes(Offset(4)), Some(true));
    }

    #[test]
    fn with_a_broken_map_nothing_is_known_ahead_of_the_position() {
        let committed = Committed { offset: Offset(5), metadata: "ls1:broken".into() };
        let progress = Progress::of(Some(committed));
        assert_eq!(progress.position(), Some(Offset(5)));
        assert_eq!(progress.finishes(Offset(4)), Some(true));
        assert_eq!(progress.finishes(Offset(6)), None);
    }
}
