//! What is measured.

/// One workload: the same topic and the same work for all who are measured on it.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, for the report.
    pub what: &'static str,
    /// Records in the source: enough for the fastest.
    pub items: u64,
    /// Keys of the source.
    pub keys: u64,
    /// Bytes of a record's value, about.
    pub bytes: usize,
    /// Items sent in a second while it is measured how long each takes. None: all of them are there
    /// from the beginning, and it is measured how many are done.
    pub rate: Option<u64>,
    /// How often is committed, in milliseconds.
    pub commit_millis: u64,
    /// How long each item is worked on, in milliseconds.
    pub work_millis: u64,
    /// Items that may be worked on at once.
    pub concurrency: u32,
    /// Who is measured.
    pub contestants: &'static [&'static str],
}

const RELAY: Workload = Workload {
    name: "w1",
    what: "relay, exactly-once, commit every 100 ms",
    items: 9_000_000,
    keys: 100_000,
    bytes: 200,
    rate: None,
    commit_millis: 100,
    work_millis: 0,
    concurrency: 256,
    contestants: &["longshore", "bare", "bare-2", "streams", "streams-bytes"],
};

const LATENCY: Workload = Workload {
    name: "w3",
    what: "latency, 1,000 items a second, commit every 10 ms",
    items: 0,
    keys: 1_000,
    rate: Some(1_000),
    commit_millis: 10,
    ..RELAY
};

const KEYED: Workload = Workload {
    name: "w6",
    what: "key order, 10 ms of waiting an item, 1,000 at once",
    items: 3_000_000,
    work_millis: 10,
    concurrency: 1_000,
    contestants: &["longshore", "parallel-consumer"],
    ..RELAY
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
        rate: Some(10),
        ..LATENCY
    },
    Workload {
        name: "w5",
        what: "key order, no work, exactly-once",
        contestants: &["longshore", "parallel-consumer"],
        ..RELAY
    },
    KEYED,
    Workload { name: "w7", what: "the same with 50 ms", work_millis: 50, ..KEYED },
];

impl Workload {
    /// The topic with its items. Workloads with the same items share it.
    pub(crate) fn source(&self) -> String {
        format!("items-{}-{}-{}", self.items, self.keys, self.bytes)
    }
}
