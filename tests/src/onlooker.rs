//! A reader that runs while things go wrong, and must see what one sees that reads afterwards
//! (EO-9).

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use longshore_kafka::admin::Isolation;
use longshore_kafka::reader::{ReadError, ReadFrom, Reader};
use longshore_kafka::{Offset, Partition, Record, Settings};
use longshore_schemas::TopicName;

use crate::{DEADLINE, Fleet, ledger};

/// One look at the topic.
const LOOK: Duration = Duration::from_millis(50);
/// How long it goes on when it has seen as much as there is: more would be wrong.
const AFTERWARDS: Duration = Duration::from_millis(500);

/// What was seen of each partition: where, and what.
type Seen = BTreeMap<Partition, Vec<(Offset, Option<Vec<u8>>)>>;

/// A committed reader of one topic of a fleet, from its beginning on.
pub struct Onlooker {
    settings: Settings,
    topic: TopicName,
    /// Told how many records there are, when all is over.
    expected: Sender<usize>,
    looking: JoinHandle<Seen>,
}

impl Onlooker {
    /// Begins to read the outputs.
    pub fn of(fleet: &Fleet) -> Self {
        Self::at(fleet.settings(), fleet.done())
    }

    /// Begins to read the items.
    pub fn of_items(fleet: &Fleet) -> Self {
        Self::at(fleet.settings(), fleet.items())
    }

    fn at(settings: Settings, topic: TopicName) -> Self {
        let (expected, told) = mpsc::channel();
        let mut look = Look {
            settings: settings.clone(),
            topic: topic.clone(),
            told,
            seen: Seen::new(),
            expected: None,
        };
        let looking = thread::spawn(move || {
            while !look.is_over() {
                // A broker that is away ends a reading; it goes on where it was.
                drop(look.read());
            }
            look.seen
        });
        Self { settings, topic, expected, looking }
    }

    /// Everything is over: it saw what is there now, no more, no less, and in the same order.
    pub fn agrees(self) {
        let records = ledger::records(&self.settings, &self.topic, Isolation::Committed);
        self.expected.send(records.len()).expect("it still looks");
        let mut there = Seen::new();
        for record in records {
            note(&mut there, record);
        }
        let seen = self.looking.join().expect("it looked to the end");
        let counts = |of: &Seen| of.iter().map(|(it, all)| (it.0, all.len())).collect::<Vec<_>>();
        assert_eq!(counts(&seen), counts(&there), "the onlooker saw another number of records");
        assert!(seen == there, "the onlooker saw other records, or the same in another order");
    }
}

/// The onlooker's own side.
struct Look {
    settings: Settings,
    topic: TopicName,
    told: Receiver<usize>,
    seen: Seen,
    /// How many records there are, and when that was said.
    expected: Option<(usize, Instant)>,
}

impl Look {
    /// Reads from where it was, until it is over or can't.
    fn read(&mut self) -> Result<(), ReadError> {
        let mut reader = Reader::open(&self.settings, &self.topic, Isolation::Committed)?;
        let from = reader.ranges(&ReadFrom::LogStart)?.into_iter().map(|range| {
            let last = self.seen.get(&range.partition).and_then(|all| all.last());
            (range.partition, last.map_or(range.from, |(Offset(last), _)| Offset(last + 1)))
        });
        let from = ReadFrom::Offsets(from.collect());
        let mut following = reader.follow(&from)?;
        while !self.is_over() {
            if let Some(record) = following.poll(LOOK)? {
                note(&mut self.seen, record);
            }
        }
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        if let Ok(expected) = self.told.try_recv() {
            self.expected = Some((expected, Instant::now()));
        }
        self.expected.is_some_and(|(expected, told)| {
            let seen: usize = self.seen.values().map(Vec::len).sum();
            let patience = if seen >= expected { AFTERWARDS } else { DEADLINE };
            told.elapsed() >= patience
        })
    }
}

fn note(seen: &mut Seen, record: Record) {
    let value = record.value.map(|value| value.to_vec());
    seen.entry(record.partition).or_default().push((record.offset, value));
}
