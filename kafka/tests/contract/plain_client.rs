//! What only the client itself can be asked for, since the lane's client refuses it.

use std::time::Duration;

use longshore_kafka::lane::broker::Sent;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{ClientConfig, TopicPartitionList};

use super::harness::Who;

/// No call may take longer.
const DEADLINE: Duration = Duration::from_secs(60);

fn config(servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", servers);
    config
}

/// Commits progress under the group's metadata of a consumer that never joined: generation -1, and
/// no member id.
pub fn commit_without_membership(
    servers: &str,
    who: &Who,
    progress: &[Sent],
) -> Result<(), KafkaError> {
    let consumer: BaseConsumer = config(servers).set("group.id", &who.group).create()?;
    let nobody = consumer.group_metadata().expect("it has a group");
    let producer: BaseProducer =
        config(servers).set("transactional.id", &who.transactional_id).create()?;
    producer.init_transactions(DEADLINE)?;
    producer.begin_transaction()?;
    let mut offsets = TopicPartitionList::new();
    for Sent { partition, committed } in progress {
        let at = rdkafka::Offset::Offset(committed.offset.0);
        offsets.add_partition_offset(who.topic.as_str(), partition.0, at)?;
    }
    producer.send_offsets_to_transaction(&offsets, &nobody, DEADLINE)?;
    producer.commit_transaction(DEADLINE)
}
