//! A transaction whose records are on their way, while the lane goes on.
//!
//! It holds the partitions whose progress it carries, and those whose last word is to be in the
//! next one: they are given back after that, or when their time is up. What is given back before
//! takes the transaction with it, because progress of a partition may be sent only while the
//! partition is ours.

use std::time::Duration;

use super::commit::Attempt;
use super::{Delivering, Lane, Producing};
use crate::Partition;
use crate::lane::broker::Broker;
use crate::lane::error::LaneError;
use crate::lane::partition::Owned;
use crate::lane::step::Step;
use crate::transaction::Transaction;

impl<B: Broker, S: Step> Lane<B, S> {
    /// Commits once every record is delivered, which is waited for as long as this.
    pub(super) fn look_at_deliveries(&mut self, wait: Duration) -> Result<(), LaneError> {
        let Some(Delivering { batch, transaction, began }) = self.take_delivering() else {
            return Ok(());
        };
        let mut transaction = Transaction::resume(&mut self.broker, transaction);
        let attempt = match transaction.delivered(wait) {
            None => {
                let transaction = transaction.suspend();
                self.producing = Producing::Delivering(Delivering { batch, transaction, began });
                return Ok(());
            }
            Some(Err(spoiled)) => {
                drop(transaction);
                Attempt::Spoiled(spoiled)
            }
            Some(Ok(written)) => {
                let transaction = transaction.suspend();
                self.commit(&batch, transaction, written)
            }
        };
        let now = self.broker.now();
        self.core.may_tell_from(now);
        self.ended(batch, attempt, began)
    }

    /// Whether a partition that could be given back waits for what is on its way: its progress is
    /// part of it, or its last word can't be said before.
    pub(super) fn is_held(&self, owned: &Owned) -> bool {
        let delivers = matches!(self.producing, Producing::Delivering(_));
        delivers && (self.is_delivering(owned.partition) || owned.says_anything())
    }

    /// Whether the progress of a partition is to be committed with what is on its way.
    pub(super) fn is_delivering(&self, partition: Partition) -> bool {
        match &self.producing {
            Producing::Delivering(Delivering { batch, .. }) => {
                batch.progress.iter().any(|(_, sent)| sent.partition == partition)
            }
            _ => false,
        }
    }

    /// Nothing of what is on its way may be committed. Its outcomes wait for the next transaction.
    pub(super) fn give_up_delivery(&mut self) {
        let Some(Delivering { batch, transaction, began }) = self.take_delivering() else {
            return;
        };
        // To forget it is to abort it.
        drop(Transaction::resume(&mut self.broker, transaction));
        let now = self.broker.now();
        self.meter.transaction("aborted", now.saturating_sub(began));
        self.core.may_tell_from(now);
        self.core.aborted(batch, &[], now);
    }

    /// What is under way is aborted if the lane panics, too.
    pub(super) fn abort_delivery(&mut self) {
        if let Some(delivering) = self.take_delivering() {
            drop(Transaction::resume(&mut self.broker, delivering.transaction));
        }
    }

    /// The producer is ready for another transaction, unless this one goes on.
    fn take_delivering(&mut self) -> Option<Delivering> {
        match std::mem::replace(&mut self.producing, Producing::Ready) {
            Producing::Delivering(delivering) => Some(delivering),
            other => {
                self.producing = other;
                None
            }
        }
    }
}
