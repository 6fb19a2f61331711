//! What stands beside a committed offset:
//! `ls2:<base>:<owner>.<seq>:<order>:<topic>:<state>:<map>:<crc32>`. Format `ls1`, which had no
//! `<topic>`, is read too.

use std::fmt;

use thiserror::Error;

use super::{FinishedMap, MapError};
use crate::{Offset, TopicId};

/// The format written. Version n+1 is read one release before it is written.
pub const FORMAT: &str = "ls2";
/// The one before it, which said nothing of the topic.
const FORMAT_BEFORE: &str = "ls1";
/// What all our formats begin with.
const OURS: &str = "ls";

/// All that the next owner of a partition must know beside its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The position that it was made for. MirrorMaker copies metadata beside translated offsets, so
    /// a map counts only if this equals the committed offset.
    pub base: Offset,
    /// A random name of the assignment that wrote it.
    pub owner: String,
    /// How many commits that assignment had made before: two commits are never the same text.
    pub seq: u64,
    /// A short hash of ordering mode and key definition: a map made under another one could break
    /// the order within a key.
    pub order: String,
    /// The topic that was worked on: an offset means nothing in another one of the same name. None
    /// in the format before this one.
    pub topic: Option<TopicId>,
    /// What the crash-loop guard must know; `-` where no guard was at work.
    pub guard: String,
    /// What the component must know.
    pub state: String,
    /// What is finished ahead of the position.
    pub finished: FinishedMap,
}

/// Metadata of ours that can't be used. Going on without it could do finished work again.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MetadataError {
    /// Written by a later version.
    #[error("it is of format `{0}`, which this version doesn't know: a newer one wrote it")]
    Newer(String),
    /// It belongs to another offset.
    #[error("it was made for offset {made_for}, but stands beside offset {found_at}")]
    OtherBase {
        /// The offset that it was made for.
        made_for: Offset,
        /// The offset beside which it stands.
        found_at: Offset,
    },
    /// Some of it was changed or cut off.
    #[error("its checksum doesn't match its text")]
    Checksum,
    /// It was written under another ordering, and work is finished ahead of the position.
    #[error(
        "work was finished ahead under ordering `{found}`, this stage orders by `{expected}`: \
         the order within a key can't be kept"
    )]
    OtherOrder {
        /// The hash in it.
        found: String,
        /// The hash of this lane.
        expected: String,
    },
    /// It was written for another topic of the same name.
    #[error(
        "it was written for the topic with the id {found}, and the topic has the id {expected} \
         now: it was deleted and made again, or progress was copied from another cluster"
    )]
    OtherTopic {
        /// The id in it.
        found: TopicId,
        /// The id of the topic as it is.
        expected: TopicId,
    },
    /// It has the wrong fields.
    #[error(
        "it isn't of the form \
         {FORMAT}:<base>:<owner>.<seq>:<order>:<topic>:<state>:<map>:<crc32>"
    )]
    Malformed,
    /// Its map can't be read.
    #[error("its map can't be read: {0}")]
    Map(MapError),
}

impl Metadata {
    /// Reads what stands beside `offset`. None: nothing of ours (another consumer wrote it, or the
    /// offset was reset); the position stands then, and nothing is finished ahead of it.
    pub fn parse(text: &str, offset: Offset) -> Result<Option<Self>, MetadataError> {
        let Some(version) = text.split(':').next().filter(|first| first.starts_with(OURS)) else {
            return Ok(None);
        };
        if ![FORMAT, FORMAT_BEFORE].contains(&version) {
            return Err(MetadataError::Newer(version.to_owned()));
        }
        let (body, crc) = text.rsplit_once(':').ok_or(MetadataError::Malformed)?;
        if crc != checksum(body) {
            return Err(MetadataError::Checksum);
        }
        let fields: Vec<&str> = body.split(':').collect();
        let (base, owner, order, topic, state, map) = match fields[..] {
            [FORMAT, base, owner, order, topic, state, map] => {
                (base, owner, order, Some(topic), state, map)
            }
            [FORMAT_BEFORE, base, owner, order, state, map] => {
                (base, owner, order, None, state, map)
            }
            _ => return Err(MetadataError::Malformed),
        };
        let made_for = Offset(base.parse().map_err(|_| MetadataError::Malformed)?);
        if made_for != offset {
            return Err(MetadataError::OtherBase { made_for, found_at: offset });
        }
        let (owner, seq) = owner.rsplit_once('.').ok_or(MetadataError::Malformed)?;
        let (guard, state) = state.split_once(',').ok_or(MetadataError::Malformed)?;
        Ok(Some(Self {
            base: made_for,
            owner: owner.to_owned(),
            seq: seq.parse().map_err(|_| MetadataError::Malformed)?,
            order: order.to_owned(),
            topic: topic.map(str::parse).transpose().map_err(|_| MetadataError::Malformed)?,
            guard: guard.to_owned(),
            state: state.to_owned(),
            finished: FinishedMap::decode(map, offset).map_err(MetadataError::Map)?,
        }))
    }

    /// Whether it was written for this topic, as far as it says.
    pub fn check_topic(&self, expected: TopicId) -> Result<(), MetadataError> {
        match self.topic {
            Some(found) if found != expected && found.is_known() && expected.is_known() => {
                Err(MetadataError::OtherTopic { found, expected })
            }
            _ => Ok(()),
        }
    }

    /// Whether a lane of this ordering may go on from here.
    pub fn check_order(&self, expected: &str) -> Result<(), MetadataError> {
        if self.finished.is_empty() || self.order == expected {
            return Ok(());
        }
        Err(MetadataError::OtherOrder { found: self.order.clone(), expected: expected.to_owned() })
    }
}

impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, owner, seq, order, guard, state, finished, .. } = self;
        let map = finished.encode(*base);
        let body = match self.topic {
            Some(topic) => {
                format!("{FORMAT}:{base}:{owner}.{seq}:{order}:{topic}:{guard},{state}:{map}")
            }
            // An operator's change to what a version before this one wrote.
            None => format!("{FORMAT_BEFORE}:{base}:{owner}.{seq}:{order}:{guard},{state}:{map}"),
        };
        write!(f, "{body}:{}", checksum(&body))
    }
}

fn checksum(body: &str) -> String {
    format!("{:08x}", crc32fast::hash(body.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Metadata {
        let mut finished = FinishedMap::default();
        finished.push(Offset(103), Offset(110));
        Metadata {
            base: Offset(100),
            owner: "3fa9c1d2-4".into(),
            seq: 17,
            order: "k1".into(),
            topic: Some(TopicId::new(1)),
            guard: "-".into(),
            state: "l88.j12".into(),
            finished,
        }
    }

    /// Puts a right checksum behind a body, so that only the body is at fault.
    fn sealed(body: &str) -> String {
        format!("{body}:{}", checksum(body))
    }

    #[test]
    fn what_is_written_is_read() {
        let text = sample().to_string();
        let body = "ls2:100:3fa9c1d2-4.17:k1:AAAAAAAAAAAAAAAAAAAAAQ:-,l88.j12:AAMH";
        assert_eq!(text, sealed(body));
        assert_eq!(Metadata::parse(&text, Offset(100)), Ok(Some(sample())));
    }

    #[test]
    fn what_the_version_before_wrote_is_read() {
        let text = "ls1:100:3fa9c1d2-4.17:k1:-,l88.j12:AAMH:a2a9e3d6";
        let before = Metadata { topic: None, ..sample() };
        assert_eq!(Metadata::parse(text, Offset(100)), Ok(Some(before.clone())));
        assert_eq!(before.to_string(), text);
    }

    #[test]
    fn it_counts_for_its_own_topic_only() {
        let (found, expected) = (TopicId::new(1), TopicId::new(2));
        assert_eq!(sample().check_topic(found), Ok(()));
        let other = MetadataError::OtherTopic { found, expected };
        assert_eq!(sample().check_topic(expected), Err(other));
        // What doesn't say counts for any, and so do clusters whose topics have no ids.
        assert_eq!(Metadata { topic: None, ..sample() }.check_topic(expected), Ok(()));
        assert_eq!(sample().check_topic(TopicId::new(0)), Ok(()));
        let of_none = Metadata { topic: Some(TopicId::new(0)), ..sample() };
        assert_eq!(of_none.check_topic(expected), Ok(()));
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        for text in ["", "consumer-metadata", "{\"json\":1}", "l"] {
            assert_eq!(Metadata::parse(text, Offset(100)), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let good = sample().to_string();
        let refused = |text: &str| Metadata::parse(text, Offset(100)).expect_err("refused");
        assert_eq!(refused("ls3:100:x"), MetadataError::Newer("ls3".into()));
        assert_eq!(refused(&good.replace("k1", "k2")), MetadataError::Checksum);
        assert_eq!(refused(&good[..good.len() - 1]), MetadataError::Checksum);
        assert_eq!(refused("ls2"), MetadataError::Malformed);
        assert_eq!(refused(&sealed("ls2:100:a.1:k1:-,:")), MetadataError::Malformed, "of ls1");
        assert_eq!(refused(&sealed("ls2:100:a.1:k1:AAAA:-,:")), MetadataError::Malformed);
        assert_eq!(refused(&sealed("ls1:100:a.1:k1:-,")), MetadataError::Malformed);
        assert_eq!(refused(&sealed("ls1:1oo:a.1:k1:-,:")), MetadataError::Malformed);
        assert_eq!(refused(&sealed("ls1:100:a:k1:-,:")), MetadataError::Malformed);
        assert_eq!(
            refused(&sealed("ls1:100:a.1:k1:-,:!!")),
            MetadataError::Map(MapError::NotBase64)
        );
        assert_eq!(
            Metadata::parse(&good, Offset(101)),
            Err(MetadataError::OtherBase { made_for: Offset(100), found_at: Offset(101) })
        );
    }

    #[test]
    fn another_order_matters_only_when_work_is_finished_ahead() {
        let mut metadata = sample();
        assert!(metadata.check_order("k1").is_ok());
        assert!(matches!(metadata.check_order("p"), Err(MetadataError::OtherOrder { .. })));
        metadata.finished = FinishedMap::default();
        assert!(metadata.check_order("p").is_ok());
    }
}
