//! Java's partitioner: the partition that every Kafka client in Java would choose for a key, and
//! librdkafka under `partitioner=murmur2_random`.

use crate::Partition;

/// The partition that a record with this key goes to, in a topic of `partitions` partitions: the
/// rule of Java's `BuiltInPartitioner.partitionForKey`. An empty key is a key; a record without one
/// goes anywhere.
///
/// # Panics
/// If there are no partitions: Kafka has no such topic.
pub fn partition_for(key: &[u8], partitions: i32) -> Partition {
    assert!(partitions > 0, "a topic has at least one partition, not {partitions}");
    Partition((murmur2(key) & i32::MAX) % partitions)
}

/// The 32-bit MurmurHash2 of Java's `org.apache.kafka.common.utils.Utils.murmur2`, its seed and its
/// sign included.
fn murmur2(data: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).expect("Kafka bounds keys far below 4 GiB");
    let (words, tail) = data.as_chunks::<4>();
    let mut hash = words.iter().fold(SEED ^ length, |hash, &word| {
        let mut mixed = u32::from_le_bytes(word).wrapping_mul(M);
        mixed ^= mixed >> 24;
        hash.wrapping_mul(M) ^ mixed.wrapping_mul(M)
    });
    if !tail.is_empty() {
        hash ^= tail.iter().rev().fold(0, |bits, &byte| bits << 8 | u32::from(byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    hash.cast_signed()
}

#[cfg(test)]
mod tests;
