//! Whether what a program gathered is right: each group that is to be complete once, with the
//! content of all its parts, and no other.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use longshore::kafka::Record;
use longshore::kafka::admin::Isolation;
use longshore::kafka::reader::{ReadFrom, Reader};
use longshore::schemas::TopicName;

use super::{Form, Gathered, Groups, id};
use crate::ground::Ground;

/// How long reading may stand still.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads all that a committed reader sees. Answers how many groups that is. `complete` says of each
/// group whether it must be there.
pub(crate) fn check(
    ground: &Ground,
    to: &TopicName,
    form: &dyn Form,
    groups: &Groups,
    complete: &[bool],
) -> Result<u64> {
    let mut seen = vec![false; complete.len()];
    let mut count = 0;
    let mut reader = Reader::open(ground.settings(), to, Isolation::Committed)?;
    let ranges = reader.ranges(&ReadFrom::LogStart)?;
    for record in reader.read(&ranges, PATIENCE)? {
        let record = record?;
        let place = || format!("{to}/{}/{}", record.partition, record.offset);
        let group = group_of(form, groups, &record).with_context(place)?;
        let seen = &mut seen[usize::try_from(group)?];
        ensure!(!std::mem::replace(seen, true), "{}: group {} is doubled", place(), id(group));
        count += 1;
    }
    for (group, (seen, complete)) in (0..).zip(seen.iter().zip(complete)) {
        ensure!(
            seen == complete,
            "{to}: group {} {}",
            id(group),
            if *complete { "is lost" } else { "is there before all its parts were committed" },
        );
    }
    Ok(count)
}

/// The group that a record gives the right content of.
fn group_of(form: &dyn Form, groups: &Groups, record: &Record) -> Result<u64> {
    let gathered = form.result(groups, record)?;
    let group = u64::try_from(gathered.key)?;
    ensure!(group < groups.count, "there is no group {group}");
    let key = record.key.as_deref();
    ensure!(key == Some(id(group).as_bytes()), "its key is {key:?}, not {}", id(group));
    let expected = Gathered::of((0..groups.parts).map(|part| groups.item(group, part)));
    ensure!(gathered == expected, "group {} is {gathered:?}, not {expected:?}", id(group));
    Ok(group)
}

#[cfg(test)]
mod tests {
    use longshore::kafka::{Offset, Partition};
    use longshore::schemas::{Codec, Headers};

    use super::*;
    use crate::groups::Plain;

    const GROUPS: Groups = Groups { count: 9, parts: 4, open: 1, bytes: 40 };

    fn record(key: &str, parts: impl Iterator<Item = u32>) -> Record {
        let gathered = Gathered::of(parts.map(|part| GROUPS.item(7, part)));
        Record {
            topic: "out".into(),
            partition: Partition(0),
            offset: Offset(0),
            key: Some(key.to_owned().into()),
            value: Some(Codec::<Gathered>::new().unwrap().encode(&gathered).unwrap()),
            headers: Headers::new(),
            timestamp: None,
        }
    }

    #[test]
    fn only_all_parts_in_their_order_under_the_key_of_their_group_are_right() {
        let id = id(7);
        assert_eq!(group_of(&Plain, &GROUPS, &record(&id, 0..4)).unwrap(), 7);
        let wrong = [record(&id, 0..3), record("items/0/0", 0..4)];
        for record in wrong.into_iter().chain([record(&id, [0, 2, 1, 3].into_iter())]) {
            assert!(group_of(&Plain, &GROUPS, &record).is_err(), "{record:?}");
        }
    }
}
