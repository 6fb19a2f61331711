//! No bytes make a codec panic, and none that aren't exactly one value are read as one.

use longshore_schemas::DecodeError;
use longshore_schemas::records::{InboxRecord, JournalRecord};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::records::{Record, for_each_record};

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config::with_cases(cases))
}

fn encoded<R: Record>(value: &R) -> Vec<u8> {
    R::codec().encode(value).unwrap().to_vec()
}

/// The frame of a record's messages, for bodies of any kind.
fn framed<R: Record>(body: &[u8]) -> Vec<u8> {
    [&encoded(&R::golden()[0])[..10], body].concat()
}

fn a_message_cut_anywhere_is_refused<R: Record>() {
    let check = |value: R| {
        let message = encoded(&value);
        for len in 0..message.len() {
            let refused = R::codec().decode(&message[..len]).unwrap_err();
            let expected = match len {
                0 => matches!(refused, DecodeError::Empty),
                _ => matches!(refused, DecodeError::Truncated { .. }),
            };
            prop_assert!(expected, "cut to {len} bytes of {}: {refused}", message.len());
        }
        Ok(())
    };
    runner(64).run(&R::any(), check).unwrap();
}

fn bytes_behind_a_value_are_counted<R: Record>() {
    let check = |(value, trailing): (R, Vec<u8>)| {
        let message = [encoded(&value), trailing.clone()].concat();
        let refused = Err(DecodeError::Trailing { bytes: trailing.len() });
        prop_assert_eq!(R::codec().decode(&message), refused);
        Ok(())
    };
    runner(64).run(&(R::any(), vec(any::<u8>(), 1..32)), check).unwrap();
}

/// What reads at all, reads as what it says: written anew it is the same value.
fn flipped_bits_read_as_a_value_or_an_error<R: Record>() {
    let check = |(value, flips): (R, Vec<prop::sample::Index>)| {
        let mut message = encoded(&value);
        let bits = message.len() * 8;
        for flip in flips {
            let bit = flip.index(bits);
            message[bit / 8] ^= 1 << (bit % 8);
        }
        reads_as_a_value_or_an_error::<R>(&message)
    };
    let flips = vec(any::<prop::sample::Index>(), 1..4);
    runner(512).run(&(R::any(), flips), check).unwrap();
}

fn any_body_reads_as_a_value_or_an_error<R: Record>() {
    let check = |body: Vec<u8>| reads_as_a_value_or_an_error::<R>(&framed::<R>(&body));
    runner(1024).run(&vec(any::<u8>(), 0..256), check).unwrap();
    // Small numbers are the lengths, counts and choices that lead deep into a value.
    runner(1024).run(&vec(0..6_u8, 0..256), check).unwrap();
}

fn reads_as_a_value_or_an_error<R: Record>(message: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = R::codec().decode(message) {
        prop_assert_eq!(R::codec().decode(&encoded(&value)), Ok(value));
    }
    Ok(())
}

mod every_record {
    use super::for_each_record;

    for_each_record!(a_message_cut_anywhere_is_refused);
    for_each_record!(bytes_behind_a_value_are_counted);
    for_each_record!(flipped_bits_read_as_a_value_or_an_error);
    for_each_record!(any_body_reads_as_a_value_or_an_error);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_as_a_record_of_a_topic(bytes in vec(any::<u8>(), 0..64)) {
        prop_assert!(InboxRecord::decode(&bytes).is_err());
        prop_assert!(JournalRecord::decode(&bytes).is_err());
    }
}

#[test]
fn a_count_of_items_beyond_the_message_is_refused_at_once() {
    use longshore_schemas::records::Closed;

    let message = encoded(&Closed { missing: vec![], ..Closed::golden().remove(0) });
    let (end, start) = message.split_last().unwrap();
    assert_eq!(*end, 0, "the message ends with the count of its missing parts");
    let count_2_60 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    let refused = Closed::codec().decode(&[start, &count_2_60].concat()).unwrap_err();
    assert!(matches!(refused, DecodeError::Truncated { .. }), "{refused}");
}
