//! Which groups there are, and in which order their records stand.

use longshore::kafka::Partition;
use longshore::kafka::partitioner::partition_for;
use longshore::schemas::TopicName;

use crate::Work;
use crate::ground::PARTITIONS;

/// Groups that are opened one after another, each while others wait for their parts.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// How many.
    pub count: u64,
    /// Parts of each.
    pub parts: u32,
    /// How many are open at once: while a group waits for its parts so many others are opened.
    pub open: u64,
    /// Bytes of the payload of a part's item.
    pub bytes: usize,
}

/// What a record says of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is open.
    Opening,
    /// This part of it has ended.
    Part(u32),
}

/// The id of a group: the origin of an item that was split, as Longshore's ids are. Everybody's
/// records have it as their key.
pub(crate) fn id(group: u64) -> String {
    let partitions = PARTITIONS as u64;
    format!("items/{}/{}", group % partitions, group / partitions)
}

/// Where the records of a group are: where any producer would write this key.
pub(crate) fn partition(group: u64) -> Partition {
    partition_for(id(group).as_bytes(), PARTITIONS)
}

impl Groups {
    /// The topic with their records for those who have no inbox. Workloads with the same groups
    /// share it.
    pub(crate) fn topic(&self) -> TopicName {
        let Self { count, parts, open, bytes } = self;
        format!("groups-{count}-{parts}-{open}-{bytes}").into()
    }

    /// Records of all of them.
    pub(crate) fn record_count(&self) -> u64 {
        self.count * u64::from(self.parts + 1)
    }

    /// Their records, in the order in which they are written.
    pub(crate) fn records(self) -> impl Iterator<Item = (u64, Step)> {
        self.steps(self.parts)
    }

    /// The same without the last part of each.
    pub(crate) fn lacking_one(self) -> impl Iterator<Item = (u64, Step)> {
        self.steps(self.parts - 1)
    }

    /// The last parts of so many, the first that were opened.
    pub(crate) fn last_parts(self, count: u64) -> impl Iterator<Item = (u64, Step)> {
        (0..count).map(move |group| (group, self.step(group, self.parts)))
    }

    /// In each turn a group is opened, and those that were opened a while before, two whiles
    /// before and so on have their next part.
    fn steps(self, parts: u32) -> impl Iterator<Item = (u64, Step)> {
        let between = (self.open / u64::from(self.parts)).max(1);
        let turns = self.count + between * u64::from(parts);
        (0..turns).flat_map(move |turn| {
            (0..=parts).filter_map(move |number| {
                let group = turn.checked_sub(between * u64::from(number))?;
                (group < self.count).then(|| (group, self.step(group, number)))
            })
        })
    }

    /// The first opens a group; parts come in an order that changes from group to group.
    fn step(self, group: u64, number: u32) -> Step {
        let parts = u64::from(self.parts);
        match u64::from(number).checked_sub(1) {
            None => Step::Opening,
            Some(before) => Step::Part(((before + group) % parts) as u32),
        }
    }

    /// The item that a stage has made of a part.
    pub(crate) fn item(&self, group: u64, part: u32) -> Work {
        let place = format!("{group}/{part}/");
        let payload = format!("{place:x<width$}", width = self.bytes);
        Work { key: group as i64, sequence: i64::from(part), sent: 0, payload }
    }

    /// Where each partition ends with these records in it.
    pub(crate) fn ends(records: impl Iterator<Item = (u64, Step)>) -> Vec<i64> {
        let mut ends = vec![0; PARTITIONS as usize];
        for (group, _) in records {
            ends[partition(group).0 as usize] += 1;
        }
        ends
    }

    /// Which of them have all their records before these positions.
    pub(crate) fn complete(self, positions: &[i64]) -> Vec<bool> {
        let partitions: Vec<_> = (0..self.count).map(|it| partition(it).0 as usize).collect();
        let mut next = vec![0; positions.len()];
        let mut left = vec![self.parts + 1; partitions.len()];
        for (group, _) in self.records() {
            let group = group as usize;
            let at = partitions[group];
            if next[at] < positions[at] {
                left[group] -= 1;
            }
            next[at] += 1;
        }
        left.into_iter().map(|left| left == 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const GROUPS: Groups = Groups { count: 50, parts: 4, open: 12, bytes: 20 };

    #[test]
    fn each_group_is_opened_and_has_each_part_once_while_others_are_open() {
        let mut steps = BTreeMap::<u64, Vec<Step>>::new();
        let mut most = 0;
        for (group, step) in GROUPS.records() {
            steps.entry(group).or_default().push(step);
            let open = |steps: &&Vec<Step>| steps.len() < 5;
            most = most.max(steps.values().filter(open).count());
        }
        assert_eq!(steps.len(), 50);
        for steps in steps.values_mut() {
            assert_eq!(steps.remove(0), Step::Opening);
            steps.sort_by_key(|step| format!("{step:?}"));
            assert_eq!(*steps, [0, 1, 2, 3].map(Step::Part));
        }
        assert!((12..=13).contains(&most), "{most} groups were open at once");
        assert_eq!(GROUPS.records().count() as u64, GROUPS.record_count());
    }

    #[test]
    fn the_last_parts_are_those_that_were_lacking() {
        let mut records: Vec<_> = GROUPS.lacking_one().chain(GROUPS.last_parts(50)).collect();
        let mut all: Vec<_> = GROUPS.records().collect();
        for list in [&mut records, &mut all] {
            list.sort_by_key(|(group, step)| (*group, format!("{step:?}")));
        }
        assert_eq!(records, all);
    }

    #[test]
    fn a_group_is_complete_when_all_its_records_are_passed() {
        let ends = Groups::ends(GROUPS.records());
        assert_eq!(GROUPS.complete(&ends), [true; 50]);
        let first = partition(0).0 as usize;
        let last = GROUPS.records().filter(|(group, _)| partition(*group).0 as usize == first);
        let last = last.enumerate().filter(|(_, (group, _))| *group == 0).last();
        let behind = last.map(|(offset, _)| offset as i64 + 1).unwrap();
        let mut positions = vec![0; ends.len()];
        for (position, is_complete) in [(behind - 1, false), (behind, true)] {
            positions[first] = position;
            assert_eq!(GROUPS.complete(&positions)[0], is_complete, "at {position}");
        }
    }

    #[test]
    fn an_item_has_the_bytes_that_are_wanted() {
        assert_eq!(GROUPS.item(7, 2).payload, "7/2/xxxxxxxxxxxxxxxx");
    }
}
