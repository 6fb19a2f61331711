//! The metrics of the process as Prometheus reads them.
//!
//! Recording goes through the macros of the crate `metrics`; here is what becomes of it.

use std::time::Duration;

use metrics::gauge;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use metrics_process::Collector;
use metrics_util::MetricKindMask;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::names::{self, Kind};

/// A gauge that nobody has set for this long is gone from `/metrics`: the lag of a partition that
/// another process owns by now must not be counted twice, and an unknown value is absent, not old.
/// Several times what a loop needs to come round and set its gauges again.
pub const GAUGE_EXPIRY: Duration = Duration::from_secs(60);

/// How often observations are moved into their buckets when nobody scrapes. Each one waits in
/// memory until then, so this bounds what a busy process holds.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The version of Longshore that runs.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Something else records already.
    #[error("a metrics recorder is installed already; start telemetry once in a process")]
    AlreadyInstalled,
    /// The exporter refuses the table's buckets.
    #[error("the metrics exporter refuses its configuration: {0}")]
    Build(#[from] BuildError),
}

/// What was recorded in this process, ready to be read. Clones read the same.
#[derive(Clone)]
pub struct Metrics {
    prometheus: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// Makes this the recorder of the process: before it, macros record nothing.
    pub fn install() -> Result<Self, MetricsError> {
        let (recorder, metrics) = Self::build(GAUGE_EXPIRY)?;
        metrics::set_global_recorder(recorder).map_err(|_| MetricsError::AlreadyInstalled)?;
        metrics.describe();
        Ok(metrics)
    }

    /// A recorder that isn't installed, and what it records.
    pub(crate) fn build(
        gauge_expiry: Duration,
    ) -> Result<(PrometheusRecorder, Self), MetricsError> {
        let mut builder = PrometheusBuilder::new()
            .idle_timeout(MetricKindMask::GAUGE, Some(gauge_expiry))
            // For histograms of a user's own; ours name their buckets in the table.
            .set_buckets_for_metric(
                Matcher::Suffix("_seconds".to_owned()),
                names::MESSAGING_SECONDS,
            )?;
        for metric in names::TABLE {
            if let Kind::Histogram(bounds) = metric.kind {
                let exactly = Matcher::Full(metric.name.to_owned());
                builder = builder.set_buckets_for_metric(exactly, bounds)?;
            }
        }
        let recorder = builder.build_recorder();
        let metrics = Self { prometheus: recorder.handle(), process: Collector::default() };
        Ok((recorder, metrics))
    }

    fn describe(&self) {
        names::describe_all();
        self.process.describe();
    }

    /// Everything recorded so far in Prometheus' text format, with the process's memory, CPU time
    /// and open files as they are now.
    pub fn render(&self) -> String {
        self.process.collect();
        gauge!(names::BUILD_INFO, "version" => VERSION).set(1.0);
        self.prometheus.render()
    }

    /// Keeps the memory of observations bounded until `stop` is cancelled.
    pub async fn upkeep(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.prometheus.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use metrics::{counter, histogram};

    use super::*;

    fn rendered(record: impl FnOnce()) -> String {
        let (recorder, metrics) = Metrics::build(GAUGE_EXPIRY).unwrap();
        metrics::with_local_recorder(&recorder, || {
            metrics.describe();
            record();
            metrics.render()
        })
    }

    #[track_caller]
    fn assert_line(text: &str, line: &str) {
        assert!(text.lines().any(|other| other == line), "no line {line:?} in\n{text}");
    }

    #[test]
    fn what_was_recorded_is_rendered_with_its_meaning() {
        let text = rendered(|| {
            counter!("longshore_retries_total", "lane" => "price", "class" => "timeout")
                .increment(3);
            gauge!("longshore_window_used_ratio",
                "consumergroup" => "price", "topic" => "lines", "partition" => "7")
            .set(0.5);
        });
        assert_line(&text, "# TYPE longshore_retries_total counter");
        assert_line(&text, r#"longshore_retries_total{lane="price",class="timeout"} 3"#);
        assert_line(
            &text,
            r#"longshore_window_used_ratio{consumergroup="price",topic="lines",partition="7"} 0.5"#,
        );
        assert!(text.contains("# HELP longshore_window_used_ratio part of the window"), "{text}");
    }

    #[test]
    fn durations_are_counted_in_the_buckets_of_the_table() {
        let text = rendered(|| {
            histogram!("messaging_process_duration_seconds").record(0.06);
            histogram!("longshore_group_wait_seconds", "join" => "settle").record(1000.0);
        });
        assert_line(&text, r#"messaging_process_duration_seconds_bucket{le="0.05"} 0"#);
        assert_line(&text, r#"messaging_process_duration_seconds_bucket{le="0.075"} 1"#);
        let waited = r#"longshore_group_wait_seconds_bucket{join="settle",le="900"} 0"#;
        assert_line(&text, waited);
        let waited = r#"longshore_group_wait_seconds_bucket{join="settle",le="3600"} 1"#;
        assert_line(&text, waited);
    }

    #[test]
    fn a_users_own_duration_is_a_histogram_too() {
        let text = rendered(|| histogram!("pricing_lookup_seconds").record(0.2));
        assert_line(&text, "# TYPE pricing_lookup_seconds histogram");
        assert_line(&text, r#"pricing_lookup_seconds_bucket{le="0.25"} 1"#);
    }

    #[test]
    fn the_process_tells_its_version_memory_and_cpu_time() {
        let text = rendered(|| ());
        assert_line(&text, &format!("longshore_build_info{{version=\"{VERSION}\"}} 1"));
        for name in ["process_resident_memory_bytes ", "process_cpu_seconds_total "] {
            assert!(text.lines().any(|line| line.starts_with(name)), "no {name}in\n{text}");
        }
    }

    #[test]
    fn a_gauge_that_nobody_sets_any_more_vanishes_and_a_counter_stays() {
        let (recorder, metrics) = Metrics::build(Duration::from_millis(1)).unwrap();
        metrics::with_local_recorder(&recorder, || {
            gauge!("longshore_open_groups", "join" => "settle").set(5.0);
            counter!("longshore_late_parts_total", "join" => "settle").increment(1);
            let first = metrics.render();
            assert_line(&first, r#"longshore_open_groups{join="settle"} 5"#);
            let deadline = Instant::now() + Duration::from_secs(20);
            while metrics.render().contains("longshore_open_groups{") {
                assert!(Instant::now() < deadline, "the gauge stays");
            }
            let last = metrics.render();
            assert_line(&last, r#"longshore_late_parts_total{join="settle"} 1"#);
            assert_line(&last, &format!("longshore_build_info{{version=\"{VERSION}\"}} 1"));
        });
    }
}
