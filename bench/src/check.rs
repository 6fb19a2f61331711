//! Whether what a program wrote is right: each item once, the items of a key in their order, none
//! left out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use longshore::kafka::Record;
use longshore::kafka::admin::Isolation;
use longshore::kafka::reader::{ReadFrom, Reader};
use longshore::schemas::{Codec, TopicName};

use crate::Work;
use crate::ground::Ground;

/// How long reading may stand still.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads all that a committed reader sees. Answers how many items that is.
///
/// The items of each key must be its first ones, one after another: so none is doubled, none out of
/// order, and none left out before another of its key.
pub(crate) fn check(ground: &Ground, keys: u64, to: &TopicName) -> Result<u64> {
    check_each(ground, keys, to, |_, _| Ok(()))
}

/// The same, and shows each of them.
pub(crate) fn check_each(
    ground: &Ground,
    keys: u64,
    to: &TopicName,
    mut show: impl FnMut(&Record, &Work) -> Result<()>,
) -> Result<u64> {
    let codec = Codec::<Work>::new()?;
    let mut next = vec![0_i64; usize::try_from(keys)?];
    let mut count = 0;
    let mut reader = Reader::open(ground.settings(), to, Isolation::Committed)?;
    let ranges = reader.ranges(&ReadFrom::LogStart)?;
    for record in reader.read(&ranges, PATIENCE)? {
        let record = record?;
        let value = record.value.as_deref().context("an output without a value")?;
        let item = codec.decode(value)?;
        show(&record, &item)?;
        let Work { key, sequence, .. } = item;
        let next = &mut next[usize::try_from(key)?];
        ensure!(
            sequence == *next,
            "{to}/{}/{}: item {sequence} of key {key} where {next} was expected: {}",
            record.partition,
            record.offset,
            if sequence < *next { "doubled, or out of order" } else { "lost, or out of order" },
        );
        *next += 1;
        count += 1;
    }
    Ok(count)
}
