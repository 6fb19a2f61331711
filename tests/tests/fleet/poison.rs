//! Records that no producer of Longshore writes: whatever is wrong with one, it ends once, and no
//! other one waits for it.

use std::fmt;
use std::time::{Duration, Instant};

use longshore_kafka::client::TransactionalProducer;
use longshore_kafka::{Commit, Outgoing, Partition, Record, Transaction, Transactions};
use longshore_schemas::headers::{CE_ID, ERROR_CLASS, Failure, ID, IDEMPOTENCY_KEY};
use longshore_schemas::{Codec, Headers};
use longshore_tests::{Cluster, Fleet, Job, Shape, until};

use crate::echoes;

const DEADLINE: Duration = Duration::from_secs(60);
/// Ordinary items, half of them before the poison and half behind it.
const ORDINARY: i64 = 400;
/// Bytes that leave little of the room that a topic has for a record.
const HUGE: usize = 900_000;
/// No text.
const NOT_UTF8: &[u8] = b"\xff\xfe\x00\xc3\x28";
/// How dead letters name what is wrong.
const UNDECODABLE: Option<&str> = Some("undecodable");
const UNREADABLE: Option<&str> = Some("unreadable_headers");

type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A record of somebody else's, and the kind of error it has to be given up with, if it has.
struct Foreign {
    key: Option<&'static [u8]>,
    value: Option<Vec<u8>>,
    headers: Headers,
    fails: Option<&'static str>,
}

#[test]
fn each_foreign_record_is_done_or_a_dead_letter_once_byte_for_byte() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 2 });
    fleet.publish(echoes(0..ORDINARY / 2));
    let worker = fleet.worker();
    fleet.until_ended(ORDINARY as usize / 2);
    let foreign: Vec<_> = keys_and_values().into_iter().chain(headers()).collect();
    write(&fleet, &foreign);
    fleet.publish(echoes(ORDINARY / 2..ORDINARY));
    let (done, dead) = (fleet.done(), format!("{}-dlt", fleet.items()).as_str().into());
    let items = ORDINARY as usize + foreign.len();
    until("all have ended", || {
        let ended = fleet.records(&done).len() + fleet.records(&dead).len();
        (ended >= items).then_some(())
    });
    worker.stop();
    fleet.audit_is_clean();

    let dead = fleet.records(&dead);
    let fails: Vec<_> = foreign.iter().filter(|it| it.fails.is_some()).collect();
    assert_eq!(dead.len(), fails.len());
    assert_eq!(fleet.records(&done).len(), items - fails.len());
    for foreign in fails {
        let is_it = |it: &&Record| foreign.is_in(it);
        let found: Vec<_> = dead.iter().filter(is_it).collect();
        let [found] = found[..] else { panic!("{} dead letters of {foreign:?}", found.len()) };
        let failure = Failure::read(&found.headers).expect("readable").expect("a dead letter");
        assert_eq!(Some(failure.class.as_str()), foreign.fails, "{foreign:?}");
    }
    for done in foreign.iter().filter(|it| it.fails.is_none()) {
        let is_it = |it: &&Record| {
            it.key.as_deref() == done.key && it.value.as_deref() == done.value.as_deref()
        };
        let count = fleet.records(&fleet.done()).iter().filter(is_it).count();
        assert_eq!(count, 1, "{done:?}");
    }
}

/// What a record can be without any header.
fn keys_and_values() -> Vec<Foreign> {
    let bare = |key, value, fails| Foreign { key, value, headers: Headers::new(), fails };
    let mut cut = job(1);
    cut.pop();
    let mut longer = job(2);
    longer.push(0);
    let mut unknown = job(3);
    unknown[5] ^= 1;
    vec![
        bare(Some(b"no Avro"), Some(b"no Avro at all".to_vec()), UNDECODABLE),
        bare(Some(b"empty"), Some(Vec::new()), UNDECODABLE),
        bare(Some(b"tombstone"), None, UNDECODABLE),
        bare(Some(b"cut off"), Some(cut), UNDECODABLE),
        bare(Some(b"too long"), Some(longer), UNDECODABLE),
        bare(Some(b"of another schema"), Some(unknown), UNDECODABLE),
        bare(Some(b"huge"), Some(vec![7; HUGE]), UNDECODABLE),
        bare(Some(NOT_UTF8), Some(b"nor is the value".to_vec()), UNDECODABLE),
        bare(None, Some(b"neither key nor value".to_vec()), UNDECODABLE),
        bare(None, None, UNDECODABLE),
        bare(Some(NOT_UTF8), Some(job(10)), None),
        bare(None, Some(job(11)), None),
        bare(Some(b""), Some(job(12)), None),
    ]
}

/// What headers can do to a record.
fn headers() -> Vec<Foreign> {
    let huge = vec![b'x'; HUGE];
    let table: Vec<(Vec<Header<'_>>, bool, Option<&str>)> = vec![
        // Of ours, only what names an item is heard of a source.
        (vec![(ID, Some(b""))], true, UNREADABLE),
        (vec![(ID, None)], true, UNREADABLE),
        (vec![(ID, Some(NOT_UTF8))], true, UNREADABLE),
        (vec![(ID, Some(b"first")), (ID, Some(NOT_UTF8))], true, UNREADABLE),
        (vec![(ID, Some(NOT_UTF8)), (ID, Some(b"last"))], true, None),
        (vec![(IDEMPOTENCY_KEY, Some(b""))], true, UNREADABLE),
        (vec![(CE_ID, Some(NOT_UTF8))], true, UNREADABLE),
        (vec![("ls-attempt", Some(b"minus one")), ("ls-attempt", None)], true, None),
        (vec![("ls-group", Some(b"forged")), ("ls-part", Some(NOT_UTF8))], true, None),
        (vec![("ls-origin", Some(b"forged")), ("ls-inbox", Some(b"forged"))], true, None),
        (vec![("traceparent", Some(b"00-zz-zz-zz")), ("tracestate", Some(NOT_UTF8))], true, None),
        (vec![("traceparent", Some(NOT_UTF8)), ("traceparent", None)], true, None),
        (vec![("user", Some(NOT_UTF8)), ("user", None), ("user", Some(b""))], true, None),
        (vec![("huge", Some(&huge))], true, None),
        // Whatever they say, they stand in the dead letter of a record that fails.
        (vec![("huge", Some(&huge))], false, UNDECODABLE),
        (vec![("a", Some(NOT_UTF8)), ("a", None), ("", Some(b"no name"))], false, UNDECODABLE),
        (vec![(ERROR_CLASS, Some(b"old")), ("ls-attempts", Some(b"many"))], false, UNDECODABLE),
        (vec![("ls-origin", Some(NOT_UTF8)), (ID, Some(b"x"))], false, UNDECODABLE),
    ];
    let foreign = |(number, (list, sound, fails)): (i64, (Vec<Header<'_>>, bool, _))| {
        let mut headers = Headers::new();
        for (name, value) in list {
            headers.push(name, value.map(|it| it.to_vec().into()));
        }
        let value = if sound { job(number) } else { b"no Avro either".to_vec() };
        Foreign { key: Some(b"headers"), value: Some(value), headers, fails }
    };
    (100..).zip(table).map(foreign).collect()
}

/// An item as a producer of Longshore would write it.
fn job(number: i64) -> Vec<u8> {
    let job = Job::echo(ORDINARY + number, "foreign");
    Codec::shared().expect("a schema").encode(&job).expect("encoded").to_vec()
}

impl Foreign {
    /// Whether a dead letter is this record, with nothing but its failure behind it.
    fn is_in(&self, dead: &Record) -> bool {
        let own = self.headers.len();
        let behind = dead.headers.iter().nth(own).is_some_and(|(name, _)| name == ERROR_CLASS);
        let same = dead.headers.iter().take(own).eq(self.headers.iter());
        let body = (dead.key.as_deref(), dead.value.as_deref());
        behind && same && body == (self.key, self.value.as_deref())
    }
}

/// Writes them, every other one to the second partition.
fn write(fleet: &Fleet, foreign: &[Foreign]) {
    let id = format!("{}-somebody", fleet.name());
    let mut producer = TransactionalProducer::new(fleet.settings(), id).expect("a producer");
    let started = Instant::now();
    while !producer.ready(Duration::from_secs(1)).expect("ready") {
        assert!(started.elapsed() < DEADLINE, "not ready within {DEADLINE:?}");
    }
    let mut transaction = Transaction::begin(&mut producer, DEADLINE).expect("begun");
    for (tag, it) in foreign.iter().enumerate() {
        let record = Outgoing {
            topic: fleet.items(),
            partition: Some(Partition(tag as i32 % 2)),
            key: it.key.map(Into::into),
            value: it.value.clone().map(Into::into),
            headers: it.headers.clone(),
            timestamp: None,
        };
        transaction.produce(&record, tag).expect("produced");
    }
    transaction.deliver().expect("delivered");
    assert!(matches!(transaction.commit(), Commit::Committed));
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(40)].escape_ascii().to_string();
        let headers = self.headers.iter().map(|(name, it)| (name, it.map(|it| shown(it))));
        let headers: Vec<_> = headers.collect();
        let (key, value) = (self.key.map(shown), self.value.as_deref().map(shown));
        write!(f, "key {key:?}, value {value:?}, {headers:?}")
    }
}
