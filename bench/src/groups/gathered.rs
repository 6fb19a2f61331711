//! What a group comes to in every workload that gathers.

use longshore::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Work;

/// All that is in the items of a group's parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    /// The key of the items: the number of their group.
    pub key: i64,
    /// Their sequences: the numbers of the parts.
    pub sequences: Vec<i64>,
    /// Their payloads.
    pub payloads: Vec<String>,
}

impl WorkItem for Gathered {
    /// The peers' classes are made from it too.
    const SCHEMA: &'static str = include_str!("../../peers/src/main/avro/Gathered.avsc");
}

impl Gathered {
    /// Of these items, in their order.
    pub fn of(items: impl IntoIterator<Item = Work>) -> Self {
        let mut gathered = Self::default();
        for item in items {
            gathered.key = item.key;
            gathered.sequences.push(item.sequence);
            gathered.payloads.push(item.payload);
        }
        gathered
    }
}
