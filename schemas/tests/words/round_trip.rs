//! What is written is read again, and nothing else.

use longshore_schemas::records::{
    Cursor, GroupOpen, InboxRecord, JournalRecord, PartOutcome, Reopened, Tick,
};
use longshore_schemas::{Codec, DecodeError, EncodeError};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::records::{Record, for_each_record};
use crate::values;

fn every_value_comes_back_as_it_was<R: Record>() {
    let check = |value: R| {
        let message = R::codec().encode(&value).unwrap();
        prop_assert_eq!(R::codec().decode(&message), Ok(value));
        Ok(())
    };
    TestRunner::default().run(&R::any(), check).unwrap();
}

mod every_record {
    use super::for_each_record;

    for_each_record!(every_value_comes_back_as_it_was);
}

proptest! {
    #[test]
    fn an_inbox_record_comes_back_as_the_kind_it_was(
        record in prop_oneof![
            values::group_open().prop_map(InboxRecord::Open),
            values::group_seal().prop_map(InboxRecord::Seal),
            values::part_outcome().prop_map(InboxRecord::Outcome),
            values::tick().prop_map(InboxRecord::Tick),
        ]
    ) {
        let message = record.encode().unwrap();
        prop_assert_eq!(InboxRecord::decode(&message), Ok(record));
    }

    #[test]
    fn a_journal_record_comes_back_as_the_kind_it_was(
        record in prop_oneof![
            values::closed().prop_map(JournalRecord::Closed),
            values::orphaned().prop_map(JournalRecord::Orphaned),
            values::carried().prop_map(JournalRecord::Carried),
            values::reopened().prop_map(JournalRecord::Reopened),
        ]
    ) {
        let message = record.encode().unwrap();
        prop_assert_eq!(JournalRecord::decode(&message), Ok(record));
    }
}

#[test]
fn a_record_of_the_journal_is_unknown_in_the_inbox_and_the_other_way_round() {
    let reopened = Codec::<Reopened>::shared().unwrap();
    let message = reopened.encode(&Reopened::golden()[0]).unwrap();
    let fingerprint = reopened.fingerprint();
    let wanted = "an inbox record";
    let refused = Err(DecodeError::UnknownSchema { wanted, fingerprint });
    assert_eq!(InboxRecord::decode(&message), refused);

    let tick = Codec::<Tick>::shared().unwrap();
    let message = tick.encode(&Tick::golden()[0]).unwrap();
    let fingerprint = tick.fingerprint();
    let wanted = "a journal record";
    let refused = Err(DecodeError::UnknownSchema { wanted, fingerprint });
    assert_eq!(JournalRecord::decode(&message), refused);
}

#[test]
fn a_number_that_a_long_cannot_hold_is_not_written() {
    let cursor = Cursor { byte: u64::MAX, ..Cursor::golden().remove(0) };
    let error = Cursor::codec().encode(&cursor).unwrap_err();
    assert!(matches!(error, EncodeError::Mismatch { schema: "longshore.Cursor", .. }), "{error}");

    let timeout = std::time::Duration::MAX;
    let open = GroupOpen { timeout, ..GroupOpen::golden().remove(0) };
    let error = GroupOpen::codec().encode(&open).unwrap_err();
    assert!(matches!(error, EncodeError::Mismatch { .. }), "{error}");
}

#[test]
fn a_number_that_the_type_cannot_hold_is_malformed() {
    let cursor = Cursor { source: String::new(), byte: 0, line: 0, ended: false };
    let mut message = Cursor::codec().encode(&cursor).unwrap().to_vec();
    message[11] = 1; // -1 bytes
    let error = Cursor::codec().decode(&message).unwrap_err();
    assert!(error.to_string().contains("a count of -1 is negative"), "{error}");
}

#[test]
fn one_type_does_not_read_the_other() {
    let message = Tick::codec().encode(&Tick::golden()[0]).unwrap();
    let fingerprint = Tick::codec().fingerprint();
    let wanted = "longshore.PartOutcome";
    let refused = Err(DecodeError::UnknownSchema { wanted, fingerprint });
    assert_eq!(PartOutcome::codec().decode(&message), refused);
}
