//! Every record that has a schema file, for the checks that hold for each.

use std::fmt::Debug;

use longshore_schemas::records::{
    Carried, Closed, Cursor, GroupOpen, GroupResult, GroupSeal, Orphaned, PartOutcome, Reopened,
    Tick,
};
use longshore_schemas::{Codec, WorkItem};
use proptest::strategy::BoxedStrategy;

use crate::{golden, values};

/// A record and the values it is tested with.
pub(crate) trait Record: WorkItem + Clone + Debug + PartialEq {
    /// Its name, that of its files.
    const NAME: &'static str;

    /// Any value.
    fn any() -> BoxedStrategy<Self>;

    /// What its golden samples hold, one for each version, oldest first.
    fn golden() -> Vec<Self>;

    /// Its codec.
    fn codec() -> &'static Codec<Self> {
        Codec::shared().unwrap()
    }
}

macro_rules! records {
    ($($record:ident $values:ident)*) => {
        $(impl Record for $record {
            const NAME: &'static str = stringify!($record);

            fn any() -> BoxedStrategy<Self> {
                values::$values()
            }

            fn golden() -> Vec<Self> {
                golden::values::$values()
            }
        })*
    };
}

records! {
    GroupOpen group_open
    GroupSeal group_seal
    PartOutcome part_outcome
    Tick tick
    GroupResult group_result
    Closed closed
    Orphaned orphaned
    Carried carried
    Reopened reopened
    Cursor cursor
}

/// Makes a test of a check for every record.
macro_rules! for_each_record {
    ($(#[$attribute:meta])* $check:ident) => {
        #[test]
        $(#[$attribute])*
        fn $check() {
            use longshore_schemas::records::*;
            super::$check::<GroupOpen>();
            super::$check::<GroupSeal>();
            super::$check::<PartOutcome>();
            super::$check::<Tick>();
            super::$check::<GroupResult>();
            super::$check::<Closed>();
            super::$check::<Orphaned>();
            super::$check::<Carried>();
            super::$check::<Reopened>();
            super::$check::<Cursor>();
        }
    };
}

pub(crate) use for_each_record;
