//! Members that die without a word, or are taken for dead.

use longshore_kafka::lane::broker::Polled;
use longshore_kafka::{Offset, Partition, Remedy, Transactions};

use super::harness::{Isolation, Troubles, Who, read_values};
use super::seat::{Seat, share};
use super::transaction::{
    abort, begin, commit_progress, make_ready, progress, record, send, write,
};

pub fn a_crashed_members_partitions_move_when_its_session_runs_out<H: Troubles>(harness: &H) {
    let (input, output) = (harness.topic(2), harness.topic(1));
    let who = Who::new_group(harness, &input);
    let mut dying = Seat::exposed(harness, &who, 2);
    let mut heir = Seat::new(harness, &who.sibling(harness));
    share(&mut dying, &mut heir, 1);
    begin(&mut dying.broker);
    write(&mut dying.broker, &[record(&output, 0, "never seen")]);

    let died = heir.broker.now();
    harness.crash(dying.broker);
    heir.until_owned(2);
    let took = heir.broker.now() - died;
    assert!(took > H::SESSION / 2, "only who leaves is replaced at once: {took:?}");
    let deadline = heir.broker.now() + H::PATIENCE;
    while harness.ends(&output, Partition(0)) != (Offset(2), Offset(2)) {
        assert!(heir.broker.now() < deadline, "the broker should end its transaction");
        heir.turn();
    }
    assert!(read_values(harness, &output, Isolation::Committed).is_empty());
    assert_eq!(read_values(harness, &output, Isolation::Uncommitted), ["never seen"]);
}

/// Whoever has its transactional id too ends its transaction.
pub fn a_slot_passes_to_its_next_holder_at_once<H: Troubles>(harness: &H) {
    let (input, output) = (harness.topic(2), harness.topic(1));
    let who = Who { slot: Some(harness.name("slot")), ..Who::new_group(harness, &input) };
    let mut old = Seat::exposed(harness, &who, 2);
    begin(&mut old.broker);
    write(&mut old.broker, &[record(&output, 0, "never seen")]);

    let mut new = Seat::new(harness, &who);
    let died = new.broker.now();
    harness.crash(old.broker);
    new.until_owned(2);
    make_ready(&mut new.broker);
    let took = new.broker.now() - died;
    assert!(took < H::SESSION / 2, "it has waited for something: {took:?}");
    assert_eq!(harness.ends(&output, Partition(0)), (Offset(2), Offset(2)), "it is ended");
    assert!(read_values(harness, &output, Isolation::Committed).is_empty());
}

/// Its own late request to join may have taken it, by which nobody has become a member.
pub fn a_member_takes_its_slot_again_when_nobody_has_it_any_more(harness: &impl Troubles) {
    let input = harness.topic(2);
    let who = Who { slot: Some(harness.name("slot")), ..Who::new_group(harness, &input) };
    let mut seat = Seat::joined(harness, &who, 2);
    let heir = Seat::exposed(harness, &who.sibling(harness), 2);
    harness.crash(heir.broker);
    seat.loses_all();
    seat.until_owned(2);
    make_ready(&mut seat.broker);
    commit_progress(&mut seat.broker, &[progress(0, 4, "")]);
    assert_eq!(seat.facts(0).committed.map(|it| it.offset), Some(Offset(4)));
}

pub fn a_member_whose_session_ran_out_is_refused_and_hears_of_it_and_joins_again(
    harness: &impl Troubles,
) {
    let input = harness.topic(1);
    let who = Who::new_group(harness, &input);
    let mut seat = Seat::exposed(harness, &who, 1);
    begin(&mut seat.broker);
    harness.lose_session(&who, &seat.broker);
    let refused = send(&mut seat.broker, &[progress(0, 3, "")]).expect_err("it is no member");
    assert_eq!(refused.remedy, Remedy::Abort, "{refused}");
    abort(&mut seat.broker);
    assert_eq!(harness.stable_progress(&who.group, &input, Partition(0)), None);
    let lost = |event: &Polled| matches!(event, Polled::Revoked { lost: true, .. }).then_some(());
    seat.until("its loss", lost);
    seat.until_owned(1);
    commit_progress(&mut seat.broker, &[progress(0, 4, "")]);
    assert_eq!(seat.facts(0).committed.map(|it| it.offset), Some(Offset(4)));
}
