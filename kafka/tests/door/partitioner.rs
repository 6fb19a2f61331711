//! The partitioner here and the client's own agree.

use std::collections::BTreeMap;

use longshore_kafka::admin::Isolation;
use longshore_kafka::partitioner::partition_for;
use longshore_kafka::reader::Reader;

use crate::broker::{PATIENCE, outgoing, settings, topic, write};

#[test]
fn the_client_chooses_the_same_partition_for_every_key() {
    let topic = topic("partitioner", 7, &[]);
    let keys = ["", "a", "ab", "abc", "abcd", "größe", "注文", "🚢"].map(str::to_owned);
    let many = (0..200).map(|it| format!("order-{it}"));
    let keys: Vec<_> = keys.into_iter().chain(many).collect();
    let records: Vec<_> = keys
        .iter()
        .map(|key| {
            let mut record = outgoing(&topic, 0, key, "");
            record.partition = None;
            record
        })
        .collect();
    write(&records);

    let mut reader = Reader::open(&settings(), &topic, Isolation::Committed).expect("opened");
    let chosen: BTreeMap<_, _> = reader
        .read_all(PATIENCE)
        .expect("reads")
        .map(|record| record.expect("a record"))
        .map(|record| (record.key.expect("a key"), record.partition))
        .collect();
    assert_eq!(chosen.len(), keys.len());
    for (key, partition) in chosen {
        assert_eq!(partition, partition_for(&key, 7), "{key:?}");
    }
}
