//! What a member holds, it holds as long as the membership lasts that it was given to.
//!
//! The client doesn't always say that a membership was lost. A member whose session ends in the
//! middle of a rebalance is taken in again under another id and keeps what it held before, though
//! others have had it since (librdkafka 2.12.1, `rd_kafka_cgrp_revoke_all_rejoin_maybe`: "already
//! rebalancing"). The group coordinator checks the member and not whose a partition is, so its old
//! progress would be accepted. Only members with a slot come that far: others are asked to join
//! twice (KIP-394), and told by that.

use std::collections::BTreeSet;

use crate::Partition;

/// The partitions of a member, and under which id it was given them.
#[derive(Debug, Default)]
pub(super) struct Tenure {
    partitions: BTreeSet<Partition>,
    /// None while it holds nothing, or where the client didn't say.
    member: Option<String>,
    is_over: bool,
}

impl Tenure {
    /// These are given to the member of this id.
    pub(super) fn give(&mut self, partitions: &[Partition], member: Option<String>) {
        if self.partitions.is_empty() {
            self.member = member;
        } else if let Some(member) = member {
            self.check(&member);
        }
        self.partitions.extend(partitions);
    }

    /// These are given back.
    pub(super) fn take(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            self.partitions.remove(partition);
        }
    }

    /// Whether what is held is held by the member of this id. If it isn't, that is for good.
    pub(super) fn check(&mut self, member: &str) -> bool {
        let before = self.member.get_or_insert_with(|| member.to_owned());
        self.is_over |= before != member;
        !self.is_over
    }

    /// Whether another member of the group may have had what is held here.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: [Partition; 3] = [Partition(0), Partition(1), Partition(2)];

    fn id(member: &str) -> Option<String> {
        Some(member.to_owned())
    }

    #[test]
    fn another_id_ends_it_while_anything_is_held() {
        let mut tenure = Tenure::default();
        tenure.give(&P[..2], id("first"));
        assert!(tenure.check("first"));
        tenure.take(&P[..1]);
        assert!(!tenure.check("second"));
        assert!(tenure.is_over() && !tenure.check("first"), "for good");
    }

    #[test]
    fn so_does_what_is_given_to_another_id() {
        let mut tenure = Tenure::default();
        tenure.give(&P[..1], id("first"));
        tenure.give(&P[1..], id("first"));
        assert!(!tenure.is_over());
        tenure.give(&[], id("second"));
        assert!(tenure.is_over());
    }

    #[test]
    fn who_holds_nothing_may_come_again_under_any_id() {
        let mut tenure = Tenure::default();
        tenure.give(&P, id("first"));
        tenure.take(&P);
        tenure.give(&P, id("second"));
        assert!(tenure.check("second") && !tenure.is_over());
    }

    #[test]
    fn an_id_that_was_not_told_is_taken_from_the_first_look() {
        let mut tenure = Tenure::default();
        tenure.give(&P, None);
        assert!(tenure.check("first"));
        assert!(!tenure.check("second"));
    }
}
