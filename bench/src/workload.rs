//! What is measured.

use longshore::schemas::TopicName;

use crate::groups::Groups;
use crate::held::{self, Held};
use crate::report::Column;
use crate::{latency, pace, restart};

/// One workload: the same topic and the same work for all who are measured on it.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, for the report's heading.
    pub what: &'static str,
    /// What else one has to know to read its figures.
    pub details: &'static str,
    /// How often is committed, in milliseconds.
    pub commit_millis: u64,
    /// What is done, and what of it is measured.
    pub measure: Measure,
    /// Who is measured.
    pub contestants: &'static [&'static str],
}

/// What is done, and what of it is measured.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    /// Items are relayed, and all of them are there from the beginning: how many in a second.
    Relay(Items),
    /// Items are relayed while they are sent: how long each takes.
    Latency {
        /// The items; none is there at the beginning.
        items: Items,
        /// Items sent in a second.
        rate: u64,
    },
    /// Items are relayed, one of which takes long: what that does to the others.
    Held(Items, Held),
    /// Parts are gathered, and all of them are there from the beginning: how many in a second.
    Gather(Groups),
    /// A program that holds groups, each of which lacks one part, is stopped and started again: how
    /// long it takes to go on.
    Restart {
        /// The groups.
        groups: Groups,
        /// How many of them have their last part once the program is stopped.
        completed: u64,
    },
}

/// Items that are relayed, and the work on them.
#[derive(Clone, Copy, Debug)]
pub struct Items {
    /// How many are there from the beginning: enough for the fastest.
    pub count: u64,
    /// Their keys.
    pub keys: u64,
    /// Bytes of a record's value, about.
    pub bytes: usize,
    /// How long each is worked on, in milliseconds.
    pub work_millis: u64,
    /// How many may be worked on at once.
    pub concurrency: u32,
}

const ITEMS: Items =
    Items { count: 9_000_000, keys: 100_000, bytes: 200, work_millis: 0, concurrency: 256 };
const FEW_KEYS: Items = Items { count: 0, keys: 1_000, ..ITEMS };
const WAITING: Items = Items { count: 3_000_000, work_millis: 10, concurrency: 1_000, ..ITEMS };
const GROUPS: Groups = Groups { count: 1_200_000, parts: 4, open: 1_000, bytes: 200 };

const RELAY: Workload = Workload {
    name: "w1",
    what: "relay, exactly-once, commit every 100 ms",
    details: "",
    commit_millis: 100,
    measure: Measure::Relay(ITEMS),
    contestants: &["longshore", "bare", "bare-2", "streams", "streams-bytes"],
};

const LATENCY: Workload = Workload {
    name: "w3",
    what: "latency, 1,000 items a second, commit every 10 ms",
    commit_millis: 10,
    measure: Measure::Latency { items: FEW_KEYS, rate: 1_000 },
    ..RELAY
};

const KEYED: Workload = Workload {
    name: "w6",
    what: "key order, 10 ms of waiting an item, 1,000 at once",
    measure: Measure::Relay(WAITING),
    contestants: &["longshore", "parallel-consumer"],
    ..RELAY
};

const GATHER: Workload = Workload {
    name: "w9",
    what: "gather 4 parts a group, exactly-once, commit every 100 ms",
    details: "A part is a record with an item whose payload has 200 bytes. The opening of its \
              group is a record too, which everybody reads beside the parts and which isn't \
              counted as one. While a group waits for its parts, 1,000 others are opened.",
    commit_millis: 100,
    measure: Measure::Gather(GROUPS),
    contestants: &["longshore", "streams-rocksdb", "streams-rocksdb-cached", "streams-memory"],
};

/// All of them.
pub const WORKLOADS: &[Workload] = &[
    RELAY,
    Workload {
        name: "w2",
        what: "relay, exactly-once, commit every 250 ms",
        commit_millis: 250,
        ..RELAY
    },
    LATENCY,
    Workload {
        name: "w4",
        what: "latency, 10 items a second, commit every 10 ms",
        measure: Measure::Latency { items: FEW_KEYS, rate: 10 },
        ..LATENCY
    },
    Workload {
        name: "w5",
        what: "key order, no work, exactly-once",
        contestants: &["longshore", "parallel-consumer"],
        ..RELAY
    },
    KEYED,
    Workload {
        name: "w7",
        what: "the same with 50 ms",
        measure: Measure::Relay(Items { work_millis: 50, ..WAITING }),
        ..KEYED
    },
    Workload {
        name: "w8",
        what: "one item of 30 s among others without work, 1,000 keys",
        details: "The first item that is begun ten seconds after the first of all is worked on for \
                  30 s. What is compared are the outputs by the time at which they were written.",
        measure: Measure::Held(
            Items { count: 12_000_000, keys: 1_000, ..ITEMS },
            Held { after_millis: 10_000, millis: 30_000 },
        ),
        contestants: &["longshore", "parallel-consumer"],
        ..RELAY
    },
    GATHER,
    Workload {
        name: "w10",
        what: "restart with 1,000,000 open parts",
        details: "250,000 groups have 4 of 5 parts, each a record with an item whose payload has \
                  200 bytes, when the program is stopped in order. Then what it keeps on the disk \
                  of its machine is deleted, as if it went on on another one, and the last parts \
                  of 1,000 groups, of all partitions, are written. It is measured from the start \
                  of the next process until a committed reader sees results of these groups. By \
                  then nobody is in the consumer group any more: no session is waited for.",
        measure: Measure::Restart {
            groups: Groups { count: 250_000, parts: 5, ..GROUPS },
            completed: 1_000,
        },
        contestants: &["longshore", "streams-rocksdb", "streams-rocksdb-cached"],
        ..GATHER
    },
    Workload {
        name: "w12",
        what: "the relay by one, two and four processes of a group",
        details: "Processes and broker share the machine's cores: more processes can't be faster \
                  than one that keeps them busy, and are measured for what they cost.",
        contestants: &["longshore", "longshore-2", "longshore-4"],
        ..RELAY
    },
];

impl Measure {
    /// What the columns of the results are.
    pub(crate) fn columns(&self) -> &'static [Column] {
        match self {
            Self::Relay(_) => pace::OF_ITEMS,
            Self::Latency { .. } => latency::COLUMNS,
            Self::Held(..) => held::COLUMNS,
            Self::Gather(_) => pace::OF_PARTS,
            Self::Restart { .. } => restart::COLUMNS,
        }
    }
}

impl Items {
    /// The topic with them. Workloads with the same items share it.
    pub(crate) fn topic(&self) -> TopicName {
        format!("items-{}-{}-{}", self.count, self.keys, self.bytes).into()
    }
}
