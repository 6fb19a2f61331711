//! Keys land where Java puts them.

use proptest::prelude::*;

use super::*;

/// What Kafka 4.3.1 itself answered: a key, `Utils.murmur2` of it, and
/// `Utils.toPositive(hash) % n` for 7 and 12 partitions.
fn golden() -> Vec<(Vec<u8>, i32, i32, i32)> {
    let text = |key: &str| key.as_bytes().to_vec();
    vec![
        (text(""), 275646681, 2, 9),
        (text("a"), -1563381124, 5, 4),
        (text("ab"), 316155434, 0, 2),
        (text("abc"), 479470107, 4, 3),
        (text("abcd"), -1323649548, 5, 8),
        (text("abcde"), 461995741, 4, 1),
        (text("abcdef"), 1870650108, 5, 0),
        (text("abcdefg"), -346467175, 4, 1),
        (text("abcdefgh"), -955427363, 0, 9),
        (text("21"), -973932308, 3, 0),
        (text("foobar"), -790332482, 0, 6),
        (text("a-little-bit-long-string"), -985981536, 1, 8),
        (text("order-4711"), 1584983611, 1, 7),
        (text("orders/3/1200"), -930361222, 2, 10),
        (text("größe"), 588164084, 4, 8),
        (text("注文"), -491775137, 2, 3),
        (text("🚢"), 1751267248, 3, 4),
        (vec![0], 375494588, 0, 8),
        (vec![0xff], -311467685, 5, 3),
        (vec![0x80, 0x81, 0xfe, 0xff, 0x90], -269545180, 0, 4),
        (vec![0xff; 4], 644171429, 6, 5),
        ((0..1024).map(|i| i as u8).collect(), -1290320997, 2, 11),
        ((0..1023).map(|i| (i * 7) as u8).collect(), -404046339, 5, 5),
    ]
}

#[test]
fn the_hash_is_javas() {
    for (key, hash, _, _) in golden() {
        assert_eq!(murmur2(&key), hash, "{key:02x?}");
    }
}

#[test]
fn the_partition_is_javas() {
    for (key, _, of_seven, of_twelve) in golden() {
        assert_eq!(partition_for(&key, 7), Partition(of_seven), "{key:02x?}");
        assert_eq!(partition_for(&key, 12), Partition(of_twelve), "{key:02x?}");
    }
}

#[test]
#[should_panic(expected = "at least one partition")]
fn a_topic_without_partitions_is_a_bug() {
    partition_for(b"key", 0);
}

proptest! {
    #[test]
    fn every_key_has_a_partition_of_the_topic(key: Vec<u8>, partitions in 1..=i32::MAX) {
        prop_assert!((0..partitions).contains(&partition_for(&key, partitions).0));
    }
}
