//! Which file holds the schema of which record.

use super::{
    Carried, Closed, Cursor, GroupOpen, GroupResult, GroupSeal, Orphaned, PartOutcome, Reopened,
    Tick,
};
use crate::codec::WorkItem;

/// Ties a record to the file of its name. An older version that must still be read is named in
/// `OLDER`, from `schemas/history`.
macro_rules! schema_file {
    ($($record:ident $(reads $older:literal)*,)*) => {$(
        impl WorkItem for $record {
            const SCHEMA: &'static str =
                include_str!(concat!("../../avro/", stringify!($record), ".avsc"));
            const OLDER: &'static [&'static str] =
                &[$(include_str!(concat!("../../history/", $older, ".avsc")),)*];
        }
    )*};
}

schema_file! {
    GroupOpen,
    GroupSeal,
    PartOutcome,
    Tick,
    GroupResult,
    Closed,
    Orphaned,
    Carried reads "Carried.v1",
    Reopened,
    Cursor,
}
