//! The peers' form: records that say what Longshore's do, as one would write them for oneself.

use anyhow::{Context, Result};
use bytes::Bytes;
use longshore::kafka::Record;
use longshore::prelude::*;
use longshore::schemas::{Codec, Headers};
use serde::{Deserialize, Serialize};

use super::{Form, Gathered, Groups, Step};
use crate::Work;

/// The number of what opens a group, which is no part.
const OPENING: i32 = -1;

/// A record about a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    /// Which part of the group; -1 opens the group.
    number: i32,
    /// Of how many.
    of: i32,
    /// The item that was made of the part, encoded; nothing in an opening.
    payload: Bytes,
}

impl WorkItem for Part {
    /// The peers' classes are made from it too.
    const SCHEMA: &'static str = include_str!("../../peers/src/main/avro/Part.avsc");
}

/// Keys are group ids, values are parts and what is gathered of them.
pub(crate) struct Plain;

impl Form for Plain {
    fn record(&self, groups: &Groups, group: u64, step: Step) -> Result<(Bytes, Headers)> {
        let of = i32::try_from(groups.parts)?;
        let part = match step {
            Step::Opening => Part { number: OPENING, of, payload: Bytes::new() },
            Step::Part(part) => {
                let payload = Codec::<Work>::shared()?.encode(&groups.item(group, part))?;
                Part { number: i32::try_from(part)?, of, payload }
            }
        };
        Ok((Codec::<Part>::shared()?.encode(&part)?, Headers::new()))
    }

    fn result(&self, _: &Groups, record: &Record) -> Result<Gathered> {
        let value = record.value.as_deref().context("a result without a value")?;
        Ok(Codec::<Gathered>::shared()?.decode(value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_item_that_an_outcome_has() {
        let groups = Groups { count: 9, parts: 4, open: 1, bytes: 40 };
        let (value, _) = Plain.record(&groups, 7, Step::Part(2)).unwrap();
        let part = Codec::<Part>::new().unwrap().decode(&value).unwrap();
        assert_eq!((part.number, part.of), (2, 4));
        let item = Codec::<Work>::new().unwrap().decode(&part.payload).unwrap();
        assert_eq!((item.key, item.sequence), (7, 2));
    }
}
