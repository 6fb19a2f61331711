//! What a lane tells the metrics.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::lane::config::LaneConfig;
use crate::lane::core::{Core, Discarded};
use crate::lane::step::{Finished, Verdict};

/// Gauges are set this often.
const INTERVAL: Duration = Duration::from_secs(1);

/// The counters of one lane, labelled by its group and topic.
#[derive(Debug)]
pub(super) struct Meter {
    group: String,
    topic: String,
    observed: Duration,
    committed: u64,
}

impl Meter {
    pub(super) fn new(config: &LaneConfig) -> Self {
        Self {
            group: config.group.clone(),
            topic: config.topic.to_string(),
            observed: Duration::ZERO,
            committed: 0,
        }
    }

    /// Transactions committed so far.
    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// A record came in.
    pub(super) fn consumed(&self) {
        counter!(
            "messaging_client_consumed_messages_total",
            "messaging_consumer_group_name" => self.group.clone(),
            "messaging_destination_name" => self.topic.clone(),
        )
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
    }
}
