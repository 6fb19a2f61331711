//! What a lane tells the metrics.

use std::collections::HashMap;
use std::time::Duration;

use longshore_schemas::TopicName;
use metrics::{Counter, counter, gauge, histogram};

use super::ages::Ages;
use crate::lane::config::LaneConfig;
use crate::lane::core::{Batch, Core, Discarded};
use crate::lane::partition::Owned;
use crate::lane::step::{Epoch, Finished, Verdict};
use crate::{Outgoing, Partition};

/// Gauges are set this often.
const INTERVAL: Duration = Duration::from_secs(1);

/// The counters of one lane, labelled by its group and topic.
#[derive(Debug)]
pub(super) struct Meter {
    group: String,
    topic: String,
    /// Kept, and told of once a turn, since every record is counted here.
    consumed: Counter,
    consumed_untold: u64,
    observed: Duration,
    committed: u64,
    ages: HashMap<(Partition, Epoch), Ages>,
}

impl Meter {
    pub(super) fn new(config: &LaneConfig) -> Self {
        Self {
            group: config.group.clone(),
            topic: config.topic.to_string(),
            consumed: counter!(
                "messaging_client_consumed_messages_total",
                "messaging_consumer_group_name" => config.group.clone(),
                "messaging_destination_name" => config.topic.to_string(),
            ),
            consumed_untold: 0,
            observed: Duration::ZERO,
            committed: 0,
            ages: HashMap::new(),
        }
    }

    /// Transactions committed so far.
    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// A record came in.
    pub(super) fn consumed(&mut self) {
        self.consumed_untold += 1;
    }

    /// All that came in this turn was read.
    pub(super) fn tell_consumed(&mut self) {
        if self.consumed_untold > 0 {
            self.consumed.increment(std::mem::take(&mut self.consumed_untold));
        }
    }

    /// The outputs of a batch were delivered.
    pub(super) fn sent(&self, batch: &Batch) {
        let mut counts: Vec<(&TopicName, u64)> = Vec::new();
        for Outgoing { topic, .. } in batch.outcomes.iter().flat_map(|finished| &finished.outputs) {
            match counts.iter_mut().find(|(known, _)| *known == topic) {
                Some((_, count)) => *count += 1,
                None => counts.push((topic, 1)),
            }
        }
        for (topic, count) in counts {
            counter!(
                "messaging_client_sent_messages_total",
                "messaging_system_name" => "kafka",
                "messaging_operation_name" => "send",
                "messaging_destination_name" => topic.to_string(),
            )
            .increment(count);
        }
    }

    /// A commit was answered, or given up. `error` is the class of what went wrong, if it did.
    pub(super) fn commit(&self, took: Duration, error: Option<&str>) {
        histogram!(
            "messaging_client_operation_duration_seconds",
            "messaging_system_name" => "kafka",
            "messaging_operation_name" => "commit_transaction",
            "messaging_destination_name" => self.topic.clone(),
            "error_type" => error.unwrap_or_default().to_owned(),
        )
        .record(took);
    }

    /// The producer is replaced.
    pub(super) fn rebuilt(&self, reason: &'static str) {
        let lane = self.group.clone();
        counter!("longshore_producer_rebuilds_total", "lane" => lane, "reason" => reason)
            .increment(1);
    }

    /// A transaction ended.
    pub(super) fn transaction(&mut self, outcome: &'static str, took: Duration) {
        if outcome == "committed" {
            self.committed += 1;
        }
        let lane = self.group.clone();
        counter!("longshore_transactions_total", "lane" => lane.clone(), "outcome" => outcome)
            .increment(1);
        let name = "longshore_transaction_duration_seconds";
        histogram!(name, "lane" => lane, "outcome" => outcome).record(took);
    }

    /// Items are finished.
    pub(super) fn finished(&self, outcomes: &[Finished]) {
        for (verdict, name) in
            [(Verdict::Done, "done"), (Verdict::Skipped, "skipped"), (Verdict::Failed, "failed")]
        {
            let ended =
                |finished: &&Finished| finished.item.is_some() && finished.verdict == verdict;
            let count = outcomes.iter().filter(ended).count() as u64;
            if count > 0 {
                let lane = self.group.clone();
                counter!("longshore_items_total", "lane" => lane, "outcome" => name)
                    .increment(count);
            }
        }
    }

    /// Partitions came or went.
    pub(super) fn rebalanced(&self, kind: &'static str) {
        let lane = self.group.clone();
        counter!("longshore_rebalances_total", "lane" => lane, "kind" => kind).increment(1);
    }

    /// Work was thrown away.
    pub(super) fn discarded(&self, discarded: Discarded) {
        let count = (discarded.in_flight + discarded.ready) as u64;
        counter!("longshore_discarded_items_total", "lane" => self.group.clone()).increment(count);
    }

    /// Sets the gauges, now and then.
    pub(super) fn observe(&mut self, core: &Core, now: Duration) {
        if now < self.observed + INTERVAL {
            return;
        }
        self.observed = now;
        let lane = || self.group.clone();
        gauge!("longshore_items_in_flight", "lane" => lane()).set(core.in_flight() as f64);
        gauge!("longshore_ready_bytes", "lane" => lane()).set(core.ready().bytes() as f64);
        let paused = core.partitions().filter(|owned| owned.paused).count();
        gauge!("longshore_paused_partitions", "lane" => lane(), "reason" => "full")
            .set(paused as f64);
        let is_owned = |(partition, epoch): &(Partition, Epoch)| {
            core.partition(*partition).is_some_and(|owned| owned.epoch == *epoch)
        };
        self.ages.retain(|key, _| is_owned(key));
        for owned in core.partitions() {
            self.observe_partition(owned, now);
        }
    }

    fn observe_partition(&mut self, owned: &Owned, now: Duration) {
        let (position, horizon) = (owned.window.position(), owned.window.horizon());
        let ages = self.ages.entry((owned.partition, owned.epoch));
        let ages = ages.or_insert_with(|| Ages::new(position, now));
        ages.look(position, horizon, now);
        for (name, value) in [
            ("longshore_window_used_ratio", owned.window.used()),
            ("longshore_position_age_seconds", ages.position(now).as_secs_f64()),
            ("longshore_oldest_unfinished_item_seconds", ages.oldest_item(now).as_secs_f64()),
        ] {
            gauge!(
                name,
                "consumergroup" => self.group.clone(),
                "topic" => self.topic.clone(),
                "partition" => owned.partition.to_string(),
            )
            .set(value);
        }
    }
}
