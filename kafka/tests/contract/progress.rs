//! Progress and what stands beside it.

use longshore_kafka::lane::broker::{Committed, PartitionFacts};
use longshore_kafka::{Offset, Outgoing, Partition, Remedy, TopicId};

use super::harness::{Harness, Who};
use super::seat::{Seat, share};
use super::transaction::{
    abort, begin, commit, commit_progress, commit_records, progress, record, record_at, send, write,
};

pub fn metadata_of_4096_bytes_is_kept_and_5000_are_refused(harness: &impl Harness) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    let large = progress(0, 1, &"x".repeat(4_096));
    commit_progress(&mut seat.broker, std::slice::from_ref(&large));
    assert_eq!(seat.facts(0).committed.as_ref(), Some(&large.committed));

    begin(&mut seat.broker);
    let refused = send(&mut seat.broker, &[progress(0, 2, &"x".repeat(5_000))]);
    let refused = refused.expect_err("the broker takes 4,096");
    assert_eq!(refused.remedy, Remedy::Stop, "{refused}");
    abort(&mut seat.broker);
    assert_eq!(seat.facts(0).committed, Some(large.committed));
    commit_progress(&mut seat.broker, &[progress(0, 2, "short")]);
    assert_eq!(seat.facts(0).committed, Some(progress(0, 2, "short").committed));
}

pub fn no_progress_is_told_from_progress_at_zero(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    assert_eq!(seat.facts(0).committed, None);
    commit_progress(&mut seat.broker, &[progress(0, 0, "")]);
    let at_zero = Committed { offset: Offset(0), metadata: String::new() };
    assert_eq!(seat.facts(0).committed, Some(at_zero));
}

pub fn progress_elsewhere_in_the_topic_is_told(harness: &impl Harness) {
    let input = harness.topic(2);
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 2);
    assert!(!seat.facts(0).siblings_committed && !seat.facts(1).siblings_committed);
    commit_progress(&mut seat.broker, &[progress(0, 5, "")]);
    let (first, second) = (seat.facts(0), seat.facts(1));
    assert!(first.committed.is_some() && !first.siblings_committed);
    assert!(second.committed.is_none() && second.siblings_committed);
}

/// Any mark of the topic's id counts, and only while there is no progress.
pub fn a_partition_that_was_begun_is_told_while_it_has_no_progress(harness: &impl Harness) {
    let (input, marks) = (harness.topic(3), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 3);
    let id = seat.facts(0).topic_id.to_string();
    let another = TopicId::new(u128::MAX).to_string();
    let mark = |partition: i32, id: &str| Outgoing {
        key: Some(format!("{}/{input}/{partition}", who.group).into()),
        ..record(&marks, 0, id)
    };
    let begun = |seat: &mut Seat<_>| {
        let question = seat.ask_about(&[0, 1, 2], None, Some(&marks));
        let mut facts = seat.answer(question);
        facts.sort_by_key(|it| it.partition);
        facts.iter().map(|it| it.begun).collect::<Vec<_>>()
    };
    assert_eq!(begun(&mut seat), [false, false, false]);
    let written = [mark(0, &another), mark(0, &id), mark(1, &another), mark(2, &id)];
    commit_records(&mut seat.broker, &written);
    assert_eq!(begun(&mut seat), [true, false, true]);
    assert!(!seat.facts(0).begun, "it wasn't asked for");
    commit_progress(&mut seat.broker, &[progress(0, 5, "")]);
    assert_eq!(begun(&mut seat), [false, false, true]);
}

pub fn the_logs_bounds_and_times_are_told(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut producer = harness.producer(&harness.name("id"));
    let start = 1_700_000_000_000;
    let records = [0, 1_000, 2_000, 3_000].map(|later| record_at(&input, 0, start + later));
    commit_records(&mut producer, &records);
    harness.delete_records(&input, Partition(0), Offset(1));
    begin(&mut producer);
    write(&mut producer, &[record(&input, 0, "open")]);

    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    let facts = seat.facts(0);
    assert_eq!((facts.log_start, facts.log_end), (Offset(1), Offset(5)), "4 and a marker");
    assert_eq!(facts.time_offset, None);
    let mut time_offset = |time| {
        let question = seat.ask(&[0], Some(start + time));
        seat.answer(question).pop().and_then(|facts: PartitionFacts| facts.time_offset)
    };
    assert_eq!(time_offset(1_500), Some(Offset(2)));
    assert_eq!(time_offset(2_000), Some(Offset(2)));
    assert_eq!(time_offset(3_001), Some(Offset(4)), "a marker has a time too");
    let far = 1_000_000_000_000;
    assert_eq!(time_offset(far), Some(Offset(5)), "behind everything that is stable");
    abort(&mut producer);
}

pub fn locating_waits_for_pending_progress(harness: &impl Harness) {
    let input = harness.topic(1);
    let mut seat = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    commit_progress(&mut seat.broker, &[progress(0, 1, "")]);
    begin(&mut seat.broker);
    send(&mut seat.broker, &[progress(0, 2, "")]).expect("sends");
    let question = seat.ask(&[0], None);
    let came = seat.during_silence();
    assert!(came.is_empty(), "nobody knows yet: {came:?}");
    commit(&mut seat.broker).expect("commits");
    let facts = seat.answer(question).pop().expect("one was asked about");
    assert_eq!(facts.committed.map(|it| it.offset), Some(Offset(2)));
}

/// The gap that the lane itself must close: the group coordinator checks who sends progress, not
/// whose partition it is. If this fails, Kafka has become stricter, and that is good news.
pub fn progress_of_a_partition_not_owned_is_accepted(harness: &impl Harness) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut owner = Seat::joined(harness, &who, 2);
    let mut stranger = Seat::joined(harness, &who.sibling(harness), 0);
    share(&mut owner, &mut stranger, 1);
    let foreign = *owner.owned.first().expect("it owns one");
    commit_progress(&mut stranger.broker, &[progress(foreign.0, 7, "")]);
    assert_eq!(owner.facts(foreign.0).committed.map(|it| it.offset), Some(Offset(7)));
}

pub fn progress_goes_with_its_topic(harness: &impl Harness) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::joined(harness, &who, 1);
    commit_progress(&mut seat.broker, &[progress(0, 5, "")]);
    let before = seat.facts(0);
    assert_eq!(seat.facts(0).topic_id, before.topic_id, "the same as long as it is there");
    harness.make_topic_anew(&input, 1);
    let mut anew = Seat::joined(harness, &Who::new_group(harness, &input), 1);
    assert_ne!(anew.facts(0).topic_id, before.topic_id);
    assert_eq!(harness.stable_progress(&who.group, &input, Partition(0)), None);
}

/// The group's own log decides: what stands there last counts, whichever transaction ends first.
pub fn of_two_producers_the_progress_appended_last_counts(harness: &impl Harness) {
    let input = harness.topic(2);
    let who = Who::new_group(harness, &input);
    let mut older = Seat::joined(harness, &who, 2);
    let mut newer = Seat::joined(harness, &who.sibling(harness), 0);
    share(&mut older, &mut newer, 1);
    begin(&mut older.broker);
    send(&mut older.broker, &[progress(0, 1, "older")]).expect("sends");
    commit_progress(&mut newer.broker, &[progress(0, 2, "newer")]);
    commit(&mut older.broker).expect("commits last");
    assert_eq!(older.facts(0).committed, Some(progress(0, 2, "newer").committed));
}

/// Why nothing is sent without a membership: generation -1 with an empty member id passes, even in
/// a group that has members.
pub fn progress_without_a_membership_is_accepted_unchecked(harness: &impl Harness) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut member = Seat::joined(harness, &who, 1);
    commit_progress(&mut member.broker, &[progress(0, 5, "")]);
    let accepted = harness.commit_without_membership(&who.sibling(harness), &[progress(0, 3, "")]);
    assert_eq!(accepted, Ok(()));
    assert_eq!(member.facts(0).committed.map(|it| it.offset), Some(Offset(3)), "it went back");
}
