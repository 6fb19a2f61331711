//! Where a partition is taken up: decided here, never by the client's own reset.

use longshore_schemas::Timestamp;
use thiserror::Error;

use super::broker::PartitionFacts;
use super::guard::Guard;
use super::progress::{FinishedMap, Metadata, MetadataError};
use crate::{Offset, Partition, TopicId};

/// Where a group starts that has no progress at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartPolicy {
    /// At the first record there is.
    Earliest,
    /// Behind the last record there is.
    Latest,
    /// At the first record of this time or later.
    At(Timestamp),
}

/// A partition as it is taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Of which topic.
    pub topic_id: TopicId,
    /// The next offset that isn't finished.
    pub position: Offset,
    /// What is finished ahead of it.
    pub finished: FinishedMap,
    /// What the component's last owner left for the next.
    pub state: String,
    /// What the guard makes of how the last owner went.
    pub guard: Guard,
    /// Whether progress was committed before. If not, the position is committed soon, so that the
    /// next owner doesn't decide anew.
    pub resumed: bool,
}

/// Why a partition can't be taken up. Going on would lose items or do them twice.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StartError {
    /// A new group, or one whose offsets expired.
    #[error(
        "partition {partition}: the group has no committed progress in this topic: it is new, or \
         its offsets expired; say where it starts (`start: earliest`, `latest` or a time)"
    )]
    NothingCommitted {
        /// Which.
        partition: Partition,
    },
    /// A group that isn't new.
    #[error(
        "partition {partition}: the group has worked on it before, and its progress is gone: its \
         offsets expired (`offsets.retention.minutes` after its last member left) or were deleted; \
         of a stage, `longshore progress start-anew` does everything again from the first record \
         on, or Kafka's `kafka-consumer-groups --reset-offsets` sets the offset where it stood; of \
         a join, delete inbox and journal, then `longshore apply`"
    )]
    ProgressLost {
        /// Which.
        partition: Partition,
    },
    /// Another owner has gone on with it, though this one hasn't heard that it has lost it.
    #[error(
        "partition {partition}: its progress stands at offset {committed}, and this process was to \
         read on at {position}: another one has gone on with it, while this one stood still; \
         nothing is lost, and it only has to be started again"
    )]
    GoneOn {
        /// Which.
        partition: Partition,
        /// The next offset to be read here.
        position: Offset,
        /// What is committed.
        committed: Offset,
    },
    /// Retention took what wasn't read.
    #[error(
        "partition {partition}: offsets {position} to {log_start} expired before they were \
         processed; `longshore progress accept-loss` goes on behind them and counts them"
    )]
    ExpiredUnread {
        /// Which.
        partition: Partition,
        /// The next offset to be processed.
        position: Offset,
        /// The first that is still there.
        log_start: Offset,
    },
    /// The log is shorter than what was processed.
    #[error(
        "partition {partition}: progress stands at offset {position}, but the log ends at \
         {log_end}: it was truncated, or the topic was made anew; `longshore progress accept-loss` \
         goes on at its end"
    )]
    Truncated {
        /// Which.
        partition: Partition,
        /// The next offset to be processed.
        position: Offset,
        /// The log's end.
        log_end: Offset,
    },
    /// The topic isn't the one that was worked on: its offsets name other records.
    #[error(
        "partition {partition}: progress stands at offset {position} of the topic with the id \
         {found}, and the topic has the id {expected} now; if it was deleted and made again, \
         `longshore progress start-anew` begins at the first record of the new one; if progress \
         was copied from another cluster, `longshore progress drop-map` goes on at that offset"
    )]
    OtherTopic {
        /// Which.
        partition: Partition,
        /// The committed offset.
        position: Offset,
        /// The id of the topic that was worked on.
        found: TopicId,
        /// The id of the topic as it is.
        expected: TopicId,
    },
    /// The metadata beside the offset is ours, but can't be used.
    #[error(
        "partition {partition}: the finished map beside offset {position} can't be used: {reason}; \
         `longshore progress drop-map` goes on without it, and items finished ahead run again"
    )]
    UnusableMap {
        /// Which.
        partition: Partition,
        /// The committed offset.
        position: Offset,
        /// What is wrong with it.
        reason: MetadataError,
    },
}

/// Decides where to take up a partition, for a lane of this name whose ordering has the hash
/// `order`.
pub fn decide(
    facts: &PartitionFacts,
    policy: Option<StartPolicy>,
    order: &str,
    lane: &str,
) -> Result<Start, StartError> {
    let start = match &facts.committed {
        Some(committed) => {
            let parsed = Metadata::parse(&committed.metadata, committed.offset)
                .and_then(|found| {
                    found.map(|it| may_go_on(&it, facts, order).map(|()| it)).transpose()
                })
                .map_err(|reason| unusable(facts.partition, committed.offset, reason))?;
            resumed(facts, committed.offset, parsed, lane)?
        }
        None if facts.begun => {
            return Err(StartError::ProgressLost { partition: facts.partition });
        }
        None => fresh(facts.topic_id, first_position(facts, policy)?),
    };
    check_bounds(facts, start.position)?;
    Ok(start)
}

fn may_go_on(found: &Metadata, facts: &PartitionFacts, order: &str) -> Result<(), MetadataError> {
    found.check_topic(facts.topic_id)?;
    found.check_order(order)
}

fn unusable(partition: Partition, position: Offset, reason: MetadataError) -> StartError {
    match reason {
        MetadataError::OtherTopic { found, expected } => {
            StartError::OtherTopic { partition, position, found, expected }
        }
        reason => StartError::UnusableMap { partition, position, reason },
    }
}

fn resumed(
    facts: &PartitionFacts,
    position: Offset,
    metadata: Option<Metadata>,
    lane: &str,
) -> Result<Start, StartError> {
    let Some(Metadata { finished, state, guard, owner, .. }) = metadata else {
        return Ok(Start { resumed: true, ..fresh(facts.topic_id, position) });
    };
    // This very lane had it, and lost it without a word.
    let lives = owner.rsplit_once('-').is_some_and(|(before, _)| before == lane);
    let guard = Guard::found(&guard, lives, position, facts.log_end)
        .ok_or_else(|| unusable(facts.partition, position, MetadataError::Malformed))?;
    let topic_id = facts.topic_id;
    Ok(Start { topic_id, position, finished, state, guard, resumed: true })
}

fn fresh(topic_id: TopicId, position: Offset) -> Start {
    Start {
        topic_id,
        position,
        finished: FinishedMap::default(),
        state: String::new(),
        guard: Guard::fresh(position),
        resumed: false,
    }
}

/// A partition without progress is a new one if the group knows others of its topic: nothing of it
/// may be missed. Otherwise the group itself is new, and has to be told where it starts.
fn first_position(
    facts: &PartitionFacts,
    policy: Option<StartPolicy>,
) -> Result<Offset, StartError> {
    match (facts.siblings_committed, policy) {
        // Another member's first commit may have come before ours: the policy still holds.
        (_, Some(StartPolicy::Earliest)) => Ok(facts.log_start),
        (true, _) => Ok(Offset(0)),
        (false, Some(StartPolicy::Latest)) => Ok(facts.log_end),
        (false, Some(StartPolicy::At(_))) => Ok(facts.time_offset.unwrap_or(facts.log_end)),
        (false, None) => Err(StartError::NothingCommitted { partition: facts.partition }),
    }
}

/// Whether what is to be read next is there.
pub fn check_bounds(facts: &PartitionFacts, position: Offset) -> Result<(), StartError> {
    let &PartitionFacts { partition, log_start, log_end, ref committed, .. } = facts;
    if let Some(committed) = committed.as_ref().map(|it| it.offset).filter(|it| *it > position) {
        return Err(StartError::GoneOn { partition, position, committed });
    }
    if position < log_start {
        return Err(StartError::ExpiredUnread { partition, position, log_start });
    }
    if position > log_end {
        return Err(StartError::Truncated { partition, position, log_end });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::broker::Committed;

    const TOPIC: TopicId = TopicId::new(7);

    fn facts(committed: Option<(i64, &str)>) -> PartitionFacts {
        PartitionFacts {
            partition: Partition(3),
            topic_id: TOPIC,
            committed: committed.map(|(offset, metadata)| Committed {
                offset: Offset(offset),
                metadata: metadata.to_owned(),
            }),
            siblings_committed: false,
            begun: false,
            log_start: Offset(100),
            log_end: Offset(900),
            time_offset: Some(Offset(400)),
        }
    }

    fn metadata(base: i64) -> String {
        let mut finished = FinishedMap::default();
        finished.push(Offset(base + 2), Offset(base + 4));
        Metadata {
            base: Offset(base),
            owner: "a".into(),
            seq: 1,
            order: "k".into(),
            topic: Some(TOPIC),
            guard: "-".into(),
            state: "l7".into(),
            finished,
        }
        .to_string()
    }

    #[test]
    fn a_new_group_starts_where_it_is_told() {
        let at = |policy| decide(&facts(None), policy, "k", "me").map(|start| start.position.0);
        assert_eq!(at(Some(StartPolicy::Earliest)), Ok(100));
        assert_eq!(at(Some(StartPolicy::Latest)), Ok(900));
        assert_eq!(at(Some(StartPolicy::At(Timestamp(1)))), Ok(400));
        assert_eq!(at(None), Err(StartError::NothingCommitted { partition: Partition(3) }));
    }

    #[test]
    fn a_new_partition_of_a_known_topic_starts_at_its_beginning() {
        let new = PartitionFacts { siblings_committed: true, log_start: Offset(0), ..facts(None) };
        let start = decide(&new, Some(StartPolicy::Latest), "k", "me").expect("starts");
        assert_eq!((start.position, start.resumed), (Offset(0), false));
        let expired = PartitionFacts { siblings_committed: true, ..facts(None) };
        assert!(matches!(decide(&expired, None, "k", "me"), Err(StartError::ExpiredUnread { .. })));
    }

    #[test]
    fn a_group_that_starts_at_the_first_record_does_so_though_another_member_has_begun_before() {
        let new = PartitionFacts { siblings_committed: true, ..facts(None) };
        let start = decide(&new, Some(StartPolicy::Earliest), "k", "me").expect("starts");
        assert_eq!(start.position, new.log_start);
    }

    #[test]
    fn a_lane_that_takes_its_own_partition_up_again_has_not_died() {
        let owner = |owner: &str| Metadata {
            base: Offset(500),
            owner: owner.to_owned(),
            seq: 1,
            order: "k".into(),
            topic: Some(TOPIC),
            guard: "r8".into(),
            state: String::new(),
            finished: FinishedMap::default(),
        };
        for (name, deaths) in [("me-3", 1), ("you-3", 2), ("me", 2)] {
            let text = owner(name).to_string();
            let start = decide(&facts(Some((500, &text))), None, "k", "me").expect("starts");
            assert_eq!(start.guard.deaths(), deaths, "{name}");
        }
    }

    #[test]
    fn committed_progress_is_taken_up_with_its_map() {
        let start = decide(&facts(Some((500, &metadata(500)))), None, "k", "me").expect("starts");
        assert!(start.resumed);
        assert_eq!((start.position, start.state.as_str()), (Offset(500), "l7"));
        assert!(start.finished.contains(Offset(502)) && !start.finished.contains(Offset(501)));
    }

    #[test]
    fn foreign_metadata_leaves_the_position_alone() {
        let start =
            decide(&facts(Some((500, "written by hand"))), None, "k", "me").expect("starts");
        assert_eq!(start.position, Offset(500));
        assert!(start.finished.is_empty() && start.state.is_empty());
    }

    #[test]
    fn metadata_of_ours_that_cannot_be_used_stops() {
        let newer = metadata(500).replace("ls2", "ls3");
        let broken = metadata(500).replace("l7", "l8");
        let copied = metadata(499);
        for (text, order) in [(newer, "k"), (broken, "k"), (copied, "k"), (metadata(500), "p")] {
            let refused = decide(&facts(Some((500, &text))), None, order, "me").expect_err(&text);
            assert!(matches!(refused, StartError::UnusableMap { .. }), "{refused}");
            assert!(refused.to_string().contains("longshore progress drop-map"), "{refused}");
        }
    }

    #[test]
    fn progress_in_another_topic_of_the_name_stops() {
        let anew =
            PartitionFacts { topic_id: TopicId::new(8), ..facts(Some((500, &metadata(500)))) };
        let refused = decide(&anew, Some(StartPolicy::Earliest), "k", "me").expect_err("stops");
        assert!(
            matches!(refused, StartError::OtherTopic { found: TOPIC, expected, .. }
                if expected == anew.topic_id),
            "{refused}"
        );
        assert!(refused.to_string().contains("longshore progress start-anew"), "{refused}");
    }

    #[test]
    fn what_is_lost_is_never_taken_for_a_gap() {
        let below = decide(&facts(Some((99, ""))), Some(StartPolicy::Earliest), "k", "me");
        assert_eq!(
            below,
            Err(StartError::ExpiredUnread {
                partition: Partition(3),
                position: Offset(99),
                log_start: Offset(100),
            })
        );
        let beyond = decide(&facts(Some((901, ""))), None, "k", "me");
        assert!(matches!(beyond, Err(StartError::Truncated { .. })), "{beyond:?}");
        assert!(
            decide(&facts(Some((900, ""))), None, "k", "me").is_ok(),
            "the end itself is sound"
        );
        assert!(decide(&facts(Some((100, ""))), None, "k", "me").is_ok(), "so is the start");
    }
}
