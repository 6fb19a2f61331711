//! The one table of metric names. What isn't in it isn't a metric of ours.
//!
//! Crates below this one (`kafka`, `handler`) record with the `metrics` macros and the names as
//! literals; a tidy test holds every literal of the workspace against [`TABLE`].
//!
//! Two rules for whoever records. A histogram never has a partition label: every bucket would be
//! multiplied by the partitions. And a gauge is set again while it holds, at least every few
//! seconds, by the macro and not through a kept handle: gauges expire (see
//! [`crate::metrics::GAUGE_EXPIRY`]), so that the lag of a partition that moved away vanishes.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// The state of now.
    Gauge,
    /// Observations, counted up to each of these bounds.
    Histogram(&'static [f64]),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The name under which it is recorded and scraped.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The unit of its value; a count or a ratio is [`Unit::Count`].
    pub unit: Unit,
    /// The labels that it may have.
    pub labels: &'static [&'static str],
    /// What it means, as operators read it.
    pub description: &'static str,
}

/// The bounds that OpenTelemetry's messaging conventions advise for durations, in seconds.
pub const MESSAGING_SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The bounds for waiting that a join's timeout limits, in seconds: up to a day.
pub const GROUP_WAIT_SECONDS: &[f64] =
    &[0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];

/// Declares each metric's constant and its row at once, so that neither exists without the other.
macro_rules! table {
    ($($constant:ident = $name:literal, $kind:expr, $unit:ident, [$($label:literal),*],
        $description:literal;)+) => {
        $(
            #[doc = concat!($description, ".")]
            pub const $constant: &str = $name;
        )+

        /// Every metric, in the order of the documentation.
        pub const TABLE: &[Metric] = &[$(Metric {
            name: $name,
            kind: $kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            description: $description,
        }),+];
    };
}

table! {
    // OpenTelemetry's messaging conventions, in Prometheus' spelling.
    CLIENT_OPERATION_DURATION = "messaging_client_operation_duration_seconds",
        Kind::Histogram(MESSAGING_SECONDS), Seconds,
        ["messaging_system_name", "messaging_operation_name", "messaging_destination_name",
            "error_type"],
        "time that one call of the Kafka client took";
    PROCESS_DURATION = "messaging_process_duration_seconds",
        Kind::Histogram(MESSAGING_SECONDS), Seconds,
        ["messaging_system_name", "messaging_operation_name", "messaging_destination_name",
            "messaging_consumer_group_name", "error_type"],
        "time that one attempt of a handler took";
    CLIENT_SENT_MESSAGES = "messaging_client_sent_messages_total",
        Kind::Counter, Count,
        ["messaging_system_name", "messaging_operation_name", "messaging_destination_name",
            "error_type"],
        "records handed to the broker, whether or not their transaction was committed";
    CLIENT_CONSUMED_MESSAGES = "messaging_client_consumed_messages_total",
        Kind::Counter, Count,
        ["messaging_system_name", "messaging_operation_name", "messaging_destination_name",
            "messaging_consumer_group_name", "error_type"],
        "records read from the broker, those that turned out to be finished included";

    // The lane: what it holds, how far it is.
    ITEMS = "longshore_items_total",
        Kind::Counter, Count, ["lane", "outcome"],
        "items that ended and are committed, by outcome: done, skipped, failed";
    ITEMS_IN_FLIGHT = "longshore_items_in_flight",
        Kind::Gauge, Count, ["lane"],
        "items that were handed out and have no outcome yet";
    READY_BYTES = "longshore_ready_bytes",
        Kind::Gauge, Bytes, ["lane"],
        "outcomes that wait for a transaction";
    WINDOW_USED_RATIO = "longshore_window_used_ratio",
        Kind::Gauge, Count, ["consumergroup", "topic", "partition"],
        "part of the window behind the oldest unfinished item that is in use, 0 to 1";
    POSITION_AGE = "longshore_position_age_seconds",
        Kind::Gauge, Seconds, ["consumergroup", "topic", "partition"],
        "time since the committed position last moved while there was work";
    OLDEST_UNFINISHED_ITEM = "longshore_oldest_unfinished_item_seconds",
        Kind::Gauge, Seconds, ["consumergroup", "topic", "partition"],
        "age of the oldest item that was read and is not finished";
    PAUSED_PARTITIONS = "longshore_paused_partitions",
        Kind::Gauge, Count, ["lane", "reason"],
        "partitions that are not read for now";
    REBALANCES = "longshore_rebalances_total",
        Kind::Counter, Count, ["lane", "kind"],
        "assignments and revocations of partitions";
    DISCARDED_ITEMS = "longshore_discarded_items_total",
        Kind::Counter, Count, ["lane"],
        "items begun here and given up because their partition moved; their new owner does them";

    // Transactions.
    TRANSACTIONS = "longshore_transactions_total",
        Kind::Counter, Count, ["lane", "outcome"],
        "transactions that ended, by outcome: committed, aborted, unknown";
    TRANSACTION_DURATION = "longshore_transaction_duration_seconds",
        Kind::Histogram(MESSAGING_SECONDS), Seconds, ["lane", "outcome"],
        "time from the begin of a transaction to its end";
    PRODUCER_REBUILDS = "longshore_producer_rebuilds_total",
        Kind::Counter, Count, ["lane", "reason"],
        "producers that were replaced because their state was lost or in doubt";

    // Handlers.
    RETRIES = "longshore_retries_total",
        Kind::Counter, Count, ["lane", "class"],
        "attempts after the first, by the class of the error before them";
    DEAD_LETTERS = "longshore_dead_letters_total",
        Kind::Counter, Count, ["lane", "class"],
        "items that were given up and written to the dead letters, by the class of their error";

    // Joins.
    OPEN_GROUPS = "longshore_open_groups",
        Kind::Gauge, Count, ["join"],
        "groups that wait for parts";
    REPLAYED_RECORDS = "longshore_replayed_records_total",
        Kind::Counter, Count, ["join"],
        "inbox records that were read again when a partition was taken over";
    CARRIED_GROUPS = "longshore_carried_groups_total",
        Kind::Counter, Count, ["join"],
        "old groups that were carried into the journal, so that a replay stays short";
    CARRIES_REFUSED = "longshore_carries_refused_total",
        Kind::Counter, Count, ["join"],
        "times that a replay would be too long and carrying would not help: someone must act";
    SPILLED_BYTES = "longshore_spilled_bytes",
        Kind::Gauge, Bytes, ["join"],
        "what open groups take in the spill files of their partitions";
    JOIN_PAUSES = "longshore_join_pauses_total",
        Kind::Counter, Count, ["join"],
        "times that open groups took all of their room and gathers at work had to end first";
    GROUP_WAIT = "longshore_group_wait_seconds",
        Kind::Histogram(GROUP_WAIT_SECONDS), Seconds, ["join", "result"],
        "time from the opening of a group to its result";
    LATE_PARTS = "longshore_late_parts_total",
        Kind::Counter, Count, ["join"],
        "parts that came after their group was closed";
    ORPHAN_PARTS = "longshore_orphan_parts_total",
        Kind::Counter, Count, ["join"],
        "parts whose group was never opened";
    CONFLICTING_PARTS = "longshore_conflicting_parts_total",
        Kind::Counter, Count, ["join"],
        "parts that came twice and differ";

    // The process.
    BUILD_INFO = "longshore_build_info",
        Kind::Gauge, Count, ["version"],
        "always 1; its labels say what runs";
}

/// Tells the recorder what each metric means, for the `# HELP` lines.
pub fn describe_all() {
    for metric in TABLE {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.unit, metric.description),
            Kind::Gauge => describe_gauge!(metric.name, metric.unit, metric.description),
            Kind::Histogram(_) => {
                describe_histogram!(metric.name, metric.unit, metric.description);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A row as dashboards and alerts depend on it.
    fn row(metric: &Metric) -> String {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels = metric.labels.join(",");
        format!("{}{{{labels}}} {kind} {}\n", metric.name, metric.unit.as_str())
    }

    #[test]
    fn the_table_is_the_one_that_dashboards_were_written_for() {
        let table: String = TABLE.iter().map(row).collect();
        assert_eq!(
            table,
            include_str!("names/table.txt"),
            "renaming a metric breaks dashboards and alerts: if it is meant, write it into \
             names/table.txt and into the changelog"
        );
    }

    #[test]
    fn names_are_unique_and_say_kind_and_unit() {
        let names: BTreeSet<_> = TABLE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for metric in TABLE {
            let is_counter = metric.kind == Kind::Counter;
            assert_eq!(metric.name.ends_with("_total"), is_counter, "{}", metric.name);
            let is_time = metric.unit == Unit::Seconds;
            assert_eq!(metric.name.ends_with("_seconds"), is_time, "{}", metric.name);
            let is_size = metric.unit == Unit::Bytes;
            assert_eq!(metric.name.ends_with("_bytes"), is_size, "{}", metric.name);
        }
    }

    #[test]
    fn histograms_have_rising_bounds_and_no_partition() {
        for metric in TABLE {
            let Kind::Histogram(bounds) = metric.kind else {
                continue;
            };
            assert!(bounds.is_sorted_by(|low, high| low < high), "{}", metric.name);
            assert!(!metric.labels.contains(&"partition"), "{}", metric.name);
        }
    }
}
