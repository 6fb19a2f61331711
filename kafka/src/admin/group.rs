//! A consumer group as its coordinator describes it.

use std::fmt;

use longshore_schemas::TopicName;
use rdkafka::groups::{GroupInfo, GroupMemberInfo};

use crate::Partition;

/// A consumer group of the classic protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its state as Kafka names it: `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty`
    /// or `Dead`.
    pub state: String,
    /// The assignment strategy its members agreed on; empty without members.
    pub strategy: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id, given by the coordinator.
    pub id: String,
    /// What it calls itself.
    pub client_id: String,
    /// Where it is, as the broker sees it.
    pub host: String,
    /// What it was assigned.
    pub assigned: Vec<(TopicName, Partition)>,
}

impl fmt::Display for GroupMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.client_id, self.host.trim_start_matches('/'))
    }
}

impl Group {
    pub(crate) fn of(info: &GroupInfo) -> Self {
        Self {
            name: info.name().to_owned(),
            state: info.state().to_owned(),
            strategy: info.protocol().to_owned(),
            members: info.members().iter().map(GroupMember::of).collect(),
        }
    }
}

impl GroupMember {
    fn of(info: &GroupMemberInfo) -> Self {
        Self {
            id: info.id().to_owned(),
            client_id: info.client_id().to_owned(),
            host: info.client_host().to_owned(),
            assigned: info.assignment().and_then(assigned).unwrap_or_default(),
        }
    }
}

/// Reads a `ConsumerProtocolAssignment` (Kafka's `ConsumerProtocolAssignment.json`, any version:
/// what later ones add stands behind); none if it is something else.
fn assigned(bytes: &[u8]) -> Option<Vec<(TopicName, Partition)>> {
    let mut rest = bytes;
    take::<2>(&mut rest)?;
    let mut assigned = Vec::new();
    for _ in 0..take_count(&mut rest)? {
        let length = u16::from_be_bytes(take::<2>(&mut rest)?);
        let (name, behind) = rest.split_at_checked(usize::from(length))?;
        rest = behind;
        let topic = TopicName::from(std::str::from_utf8(name).ok()?);
        for _ in 0..take_count(&mut rest)? {
            let partition = Partition(i32::from_be_bytes(take::<4>(&mut rest)?));
            assigned.push((topic.clone(), partition));
        }
    }
    Some(assigned)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*head)
}

/// A count that the bytes left over can hold: a broken one must not make the loop long.
fn take_count(rest: &mut &[u8]) -> Option<usize> {
    let count = usize::try_from(i32::from_be_bytes(take::<4>(rest)?)).ok()?;
    (count <= rest.len()).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1, topic `in` with partitions 0 and 3, no user data.
    const ASSIGNMENT: &[u8] =
        b"\x00\x01\x00\x00\x00\x01\x00\x02in\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x03\
          \xff\xff\xff\xff";

    #[test]
    fn an_assignment_is_read() {
        let topic = TopicName::from("in");
        let expected = vec![(topic.clone(), Partition(0)), (topic, Partition(3))];
        assert_eq!(assigned(ASSIGNMENT), Some(expected));
    }

    #[test]
    fn a_foreign_or_broken_assignment_is_none() {
        for end in 0..ASSIGNMENT.len() - 4 {
            assert_eq!(assigned(&ASSIGNMENT[..end]), None, "cut at {end}");
        }
        assert_eq!(assigned(b"\x00\x01\x7f\xff\xff\xff"), None);
    }
}
