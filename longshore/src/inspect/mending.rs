//! The changes that an operator may make to committed progress, each said before it is done.

use std::fmt;

use longshore_coordinator::JoinState;
use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::lane::progress::{FinishedMap, Metadata, MetadataError};
use longshore_kafka::{Offset, Partition};

use super::consumer::{Consumer, Kind};
use super::error::InspectError;
use super::standing::{Progress, Standing};

/// What an operator's progress is signed with, where an owner's random name stands.
const OPERATOR: &str = "operator";

/// A change to one partition's progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which partition.
    pub partition: Partition,
    /// What is given up by it.
    pub consequence: Consequence,
    /// What is written.
    pub write: Sent,
}

/// What a change gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// So many offsets that are finished are forgotten: their records are worked on again.
    Forgotten(u64),
    /// The map couldn't be read, so nobody knows how many.
    ForgottenUnread(String),
    /// So many offsets are given up at most, from the position to the log's start.
    Expired {
        /// The position so far.
        from: Offset,
        /// The log's start.
        to: Offset,
        /// Offsets between them that weren't finished; markers and gaps are counted too.
        items: u64,
    },
    /// The position was one of an earlier topic of this name: the new one is begun at its start.
    OtherTopic {
        /// The position in the earlier topic.
        from: Offset,
    },
    /// There is no position: all that is still there is worked on, also what was done before.
    Again,
    /// The log ends before the position: what was written between is gone, finished or not.
    Truncated {
        /// The position so far.
        from: Offset,
        /// The log's end.
        to: Offset,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Committed { offset, .. } = &self.write.committed;
        write!(f, "partition {}: ", self.partition)?;
        match &self.consequence {
            Consequence::Forgotten(offsets) => write!(
                f,
                "drop the map at position {offset}: {offsets} finished offsets ahead of it are \
                 forgotten, and the outputs of their items will be written a second time"
            ),
            Consequence::ForgottenUnread(reason) => write!(
                f,
                "drop the map at position {offset}, which can't be read ({reason}): whatever was \
                 finished ahead of it will be worked on and written a second time"
            ),
            Consequence::Expired { from, to, items } => write!(
                f,
                "move the position from {from} to {offset}: the records from {from} to {to} are \
                 deleted, and at most {items} items among them are given up"
            ),
            Consequence::OtherTopic { from } => write!(
                f,
                "forget the position {from} in an earlier topic of this name, and begin this one \
                 at its first record, {offset}: items of the earlier one that weren't finished are \
                 given up with it"
            ),
            Consequence::Again => write!(
                f,
                "begin at its first record, {offset}, where no position is known: whatever was \
                 done before is done again, and its outputs will be written a second time"
            ),
            Consequence::Truncated { from, to } => write!(
                f,
                "move the position from {from} back to {offset}: the log ends at {to}, what was \
                 written behind it is gone"
            ),
        }
    }
}

/// Forgets what is finished ahead of the position. None if nothing is.
pub fn drop_map(consumer: &Consumer, standing: &Standing) -> Result<Option<Change>, InspectError> {
    let (position, consequence, metadata) = match &standing.progress {
        Progress::None | Progress::Plain(_) => return Ok(None),
        Progress::Ours(found) if found.finished.is_empty() => return Ok(None),
        Progress::Ours(found) => {
            let forgotten = Consequence::Forgotten(found.finished.len());
            (found.base, forgotten, signed(found, found.base, FinishedMap::default()).to_string())
        }
        Progress::Unusable { reason, .. } if consumer.kind == Kind::Join => {
            let reason = format!(
                "what stands beside the position can't be used ({reason}), and it says where the \
                 open groups begin: give the join's group a position at which none was open"
            );
            return Err(unmendable(consumer, standing, reason));
        }
        Progress::Unusable { position, reason } => {
            let unread = Consequence::ForgottenUnread(reason.to_string());
            (*position, unread, String::new())
        }
    };
    Ok(Some(change(standing, consequence, position, metadata)))
}

/// Goes on behind what is lost. None if nothing is.
pub fn accept_loss(
    consumer: &Consumer,
    standing: &Standing,
) -> Result<Option<Change>, InspectError> {
    let log = &standing.log;
    let Some(from) = standing.progress.position() else {
        return Ok(None);
    };
    if let Progress::Unusable { reason, .. } = &standing.progress {
        let reason = format!(
            "what stands beside the position can't be used ({reason}): see `longshore progress \
             drop-map` or `start-anew` first"
        );
        return Err(unmendable(consumer, standing, reason));
    }
    let (start, consequence) = if from < log.log_start {
        (log.log_start, expired(standing, from, log.log_start))
    } else if from > log.high {
        let to = log.last_stable;
        (to, Consequence::Truncated { from, to })
    } else {
        return Ok(None);
    };
    let Progress::Ours(found) = &standing.progress else {
        return Ok(Some(change(standing, consequence, start, String::new())));
    };
    let (position, finished) = behind(&found.finished, start, log.high);
    let mut metadata = signed(found, position, finished);
    if consumer.kind == Kind::Join {
        metadata.state = moved_state(consumer, standing, &metadata.state, start)?;
    }
    Ok(Some(change(standing, consequence, position, metadata.to_string())))
}

/// Begins at the first record: of a topic that was deleted and made again, or where progress is
/// gone. None where progress is of the topic as it is.
pub fn start_anew(
    consumer: &Consumer,
    standing: &Standing,
) -> Result<Option<Change>, InspectError> {
    let (consequence, of_join) = match &standing.progress {
        Progress::None => (
            Consequence::Again,
            "it has no progress: a new join begins by itself, and of one whose progress is gone \
             the journal speaks of groups that have their results: delete inbox and journal, then \
             `longshore apply`",
        ),
        Progress::Unusable { position, reason: MetadataError::OtherTopic { .. } } => (
            Consequence::OtherTopic { from: *position },
            "the inbox was made anew, and the join's journal speaks of the earlier one: delete the \
             journal and the progress of this group, then `longshore apply`",
        ),
        _ => return Ok(None),
    };
    if consumer.kind == Kind::Join {
        return Err(unmendable(consumer, standing, of_join.to_owned()));
    }
    Ok(Some(change(standing, consequence, standing.log.log_start, String::new())))
}

fn change(
    standing: &Standing,
    consequence: Consequence,
    offset: Offset,
    metadata: String,
) -> Change {
    let partition = standing.partition;
    let committed = Committed { offset, metadata };
    Change { partition, consequence, write: Sent { partition, committed } }
}

fn signed(found: &Metadata, base: Offset, finished: FinishedMap) -> Metadata {
    Metadata { base, owner: OPERATOR.to_owned(), seq: found.seq + 1, finished, ..found.clone() }
}

fn expired(standing: &Standing, from: Offset, to: Offset) -> Consequence {
    let finished = standing.progress.finished().map_or(0, |map| {
        let below = map.ranges().map(|(start, end)| (start.min(to), end.min(to)));
        below.map(|(start, end)| end.0 - start.0).sum()
    });
    let items = u64::try_from(to.0 - from.0 - finished).unwrap_or(0);
    Consequence::Expired { from, to, items }
}

/// What of a map lies between `start` and the log's end, and the position that is left: `start`, or
/// behind what is finished right from there on.
fn behind(map: &FinishedMap, start: Offset, end: Offset) -> (Offset, FinishedMap) {
    let (mut position, mut left) = (start, FinishedMap::default());
    for (from, to) in map.ranges().map(|(from, to)| (from.max(start), to.min(end))) {
        if from <= position {
            position = position.max(to);
        } else if from < to {
            left.push(from, to);
        }
    }
    (position, left)
}

/// A replay can't begin before the log does, nor behind its end.
fn moved_state(
    consumer: &Consumer,
    standing: &Standing,
    state: &str,
    start: Offset,
) -> Result<String, InspectError> {
    if state.is_empty() {
        return Ok(String::new());
    }
    let state: JoinState = state.parse().map_err(|reason| InspectError::State {
        group: consumer.group.clone(),
        topic: consumer.topic.clone(),
        partition: standing.partition,
        reason,
    })?;
    let low = Offset(state.low).max(standing.log.log_start).min(start).0;
    Ok(JoinState { low, ..state }.to_string())
}

fn unmendable(consumer: &Consumer, standing: &Standing, reason: String) -> InspectError {
    InspectError::Unmendable {
        group: consumer.group.clone(),
        topic: consumer.topic.clone(),
        partition: standing.partition,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use longshore_kafka::TopicId;

    use super::*;
    use crate::inspect::standing::tests::{ours, standing};

    fn consumer(kind: Kind) -> Consumer {
        Consumer { kind, ..Consumer::by_hand("orders.price", "orders") }
    }

    fn written(change: &Change) -> Progress {
        Progress::of(Some(change.write.committed.clone()))
    }

    fn map(progress: &Progress) -> Vec<(i64, i64)> {
        let ranges = progress.finished().into_iter().flat_map(FinishedMap::ranges);
        ranges.map(|(from, to)| (from.0, to.0)).collect()
    }

    #[test]
    fn a_dropped_map_leaves_the_position_and_says_what_is_done_again() {
        let before = standing(0, 100, ours(10, &[(20, 25), (30, 31)]));
        let change = drop_map(&consumer(Kind::Stage), &before).unwrap().unwrap();
        assert_eq!(change.consequence, Consequence::Forgotten(6));
        assert_eq!(written(&change).position(), Some(Offset(10)));
        assert_eq!(map(&written(&change)), []);
        assert!(change.to_string().contains("6 finished offsets"), "{change}");
    }

    #[test]
    fn where_nothing_is_finished_ahead_there_is_no_map_to_drop() {
        for progress in [Progress::None, Progress::Plain(Offset(3)), ours(10, &[])] {
            let standing = standing(0, 100, progress);
            assert_eq!(drop_map(&consumer(Kind::Stage), &standing).unwrap(), None);
        }
    }

    #[test]
    fn a_broken_map_can_be_dropped_unless_it_says_where_groups_begin() {
        let broken =
            Progress::of(Some(Committed { offset: Offset(5), metadata: "ls9:whatever".into() }));
        let standing = standing(0, 100, broken);
        let change = drop_map(&consumer(Kind::Stage), &standing).unwrap().unwrap();
        assert_eq!(written(&change), Progress::Plain(Offset(5)));
        assert!(drop_map(&consumer(Kind::Join), &standing).is_err());
    }

    #[test]
    fn accepted_loss_goes_on_at_the_logs_start_and_counts() {
        let table = [
            // (finished ahead, items given up, position, map)
            (vec![], 40, 50, vec![]),
            (vec![(20, 30)], 30, 50, vec![]),
            (vec![(40, 60), (70, 80)], 30, 60, vec![(70, 80)]),
            (vec![(50, 55), (55, 56)], 40, 56, vec![]),
        ];
        for (ahead, given_up, position, left) in table {
            let standing = standing(50, 100, ours(10, &ahead));
            let change = accept_loss(&consumer(Kind::Stage), &standing).unwrap().unwrap();
            let Consequence::Expired { items, .. } = change.consequence else {
                panic!("{change}");
            };
            assert_eq!(items, given_up, "{ahead:?}");
            assert_eq!(written(&change).position(), Some(Offset(position)), "{ahead:?}");
            assert_eq!(map(&written(&change)), left);
        }
    }

    #[test]
    fn a_position_beyond_the_end_goes_back_to_it() {
        let standing = standing(0, 100, ours(110, &[(120, 130)]));
        let change = accept_loss(&consumer(Kind::Stage), &standing).unwrap().unwrap();
        assert_eq!(written(&change).position(), Some(Offset(100)));
        assert_eq!(map(&written(&change)), []);
    }

    #[test]
    fn where_nothing_is_lost_nothing_is_accepted() {
        for progress in [Progress::None, Progress::Plain(Offset(100)), ours(50, &[(60, 70)])] {
            let standing = standing(50, 100, progress);
            assert_eq!(accept_loss(&consumer(Kind::Stage), &standing).unwrap(), None);
        }
    }

    #[test]
    fn a_topic_that_was_made_anew_is_begun_at_its_start() {
        let before = ours(40, &[(50, 60)]);
        let Progress::Ours(metadata) = &before else { panic!("ours") };
        let (offset, metadata) = (metadata.base, metadata.to_string());
        let progress = Progress::in_topic(Some(Committed { offset, metadata }), TopicId::new(2));
        let anew = standing(5, 100, progress);
        let change = start_anew(&consumer(Kind::Stage), &anew).unwrap().unwrap();
        assert_eq!(change.consequence, Consequence::OtherTopic { from: Offset(40) });
        assert_eq!(written(&change), Progress::Plain(Offset(5)));
        assert!(start_anew(&consumer(Kind::Join), &anew).is_err(), "its journal is of the old one");
        let same = standing(5, 100, before);
        assert_eq!(start_anew(&consumer(Kind::Stage), &same).unwrap(), None);
    }

    #[test]
    fn where_progress_is_gone_all_is_done_again_if_somebody_says_so() {
        let gone = standing(5, 100, Progress::None);
        let change = start_anew(&consumer(Kind::Stage), &gone).unwrap().unwrap();
        assert_eq!(change.consequence, Consequence::Again);
        assert_eq!(written(&change), Progress::Plain(Offset(5)));
        assert!(change.to_string().contains("will be written a second time"), "{change}");
        assert!(start_anew(&consumer(Kind::Join), &gone).is_err(), "results would be doubled");
    }

    #[test]
    fn a_joins_replay_begins_no_earlier_than_its_log() {
        let Progress::Ours(mut metadata) = ours(40, &[]) else {
            panic!("ours");
        };
        metadata.state = "l12.j3.w77".into();
        let standing = standing(50, 100, Progress::Ours(metadata));
        let change = accept_loss(&consumer(Kind::Join), &standing).unwrap().unwrap();
        let Progress::Ours(after) = written(&change) else {
            panic!("{change}");
        };
        assert_eq!(after.state, "l50.j3.w77");
    }
}
