//! Bodies are checked before they are decoded.

use super::*;

fn checked(layout: &Layout, body: &[u8]) -> Result<(), DecodeError> {
    check("Test", layout, body, body.len())
}

fn malformed(reason: &str) -> Result<(), DecodeError> {
    Err(DecodeError::Malformed { schema: "Test", reason: reason.into() })
}

fn truncated(len: usize, missing: usize) -> Result<(), DecodeError> {
    Err(DecodeError::Truncated { len, missing })
}

#[test]
fn a_value_takes_exactly_its_bytes() {
    let record = Layout::Record([Layout::Number, Layout::Sized, Layout::Boolean].into());
    assert_eq!(checked(&record, &[0x80, 0x01, 4, b'a', b'b', 1]), Ok(()));
    assert_eq!(checked(&record, &[0x80, 0x01, 4, b'a', b'b']), truncated(5, 1));
    assert_eq!(checked(&record, &[0x80, 0x01, 4, b'a']), truncated(4, 1));
    let trailing = Err(DecodeError::Trailing { bytes: 2 });
    assert_eq!(checked(&record, &[0x80, 0x01, 4, b'a', b'b', 1, 7, 7]), trailing);
}

#[test]
fn a_number_has_at_most_ten_bytes() {
    let most = [&[0xFF; 9][..], &[1]].concat();
    assert_eq!(checked(&Layout::Number, &most), Ok(()));
    let refused = malformed("a number goes on after 10 bytes, before byte 10");
    assert_eq!(checked(&Layout::Number, &[0xFF; 11]), refused);
}

#[test]
fn a_length_is_not_negative_and_ends_within_the_message() {
    assert_eq!(checked(&Layout::Sized, &[1]), malformed("-1 is not a length, before byte 1"));
    let longest = [&[0xFE][..], &[0xFF; 8], &[1]].concat();
    assert_eq!(checked(&Layout::Sized, &longest), truncated(10, i64::MAX as usize));
}

#[test]
fn a_choice_is_one_of_those_there_are() {
    let union = Layout::Union([Layout::Nothing, Layout::Boolean].into());
    assert_eq!(checked(&union, &[0]), Ok(()));
    assert_eq!(checked(&union, &[2, 1]), Ok(()));
    assert_eq!(checked(&union, &[4]), malformed("2 is not one of 2 choices, before byte 1"));
    assert_eq!(checked(&union, &[1]), malformed("-1 is not one of 2 choices, before byte 1"));
    assert_eq!(checked(&union, &[2, 2]), malformed("2 is not a boolean, before byte 2"));
    assert_eq!(
        checked(&Layout::Symbol(3), &[6]),
        malformed("3 is not one of 3 choices, before byte 1")
    );
}

#[test]
fn blocks_of_items_end_with_a_count_of_zero() {
    let items = Layout::Items(Layout::Boolean.into());
    assert_eq!(checked(&items, &[0]), Ok(()));
    assert_eq!(checked(&items, &[4, 1, 0, 2, 1, 0]), Ok(()));
    assert_eq!(checked(&items, &[3, 4, 1, 0, 0]), Ok(()), "with the block's bytes before it");
    assert_eq!(checked(&items, &[4, 1, 0]), truncated(3, 1));
}

#[test]
fn a_count_beyond_the_bytes_that_are_left_is_refused_at_once() {
    let items = Layout::Items(Layout::Boolean.into());
    let count_2_60 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    assert_eq!(checked(&items, &count_2_60), truncated(9, 1 << 60));
    let lowest_count = [&[0xFF; 9][..], &[1, 0]].concat();
    assert_eq!(checked(&items, &lowest_count), truncated(11, 1 << 63));
}
