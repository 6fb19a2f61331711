//! The time that attempts take, by how they end.

use std::time::Duration;

use metrics::{Histogram, histogram};
use tokio::time::Instant;

use crate::{HandlerError, Outcome, StackSettings};

/// OpenTelemetry's `messaging.process.duration`, in Prometheus' spelling.
const PROCESS_DURATION: &str = "messaging_process_duration_seconds";

/// Measures each attempt.
pub(crate) struct Measure {
    topic: String,
    group: String,
    /// Kept, since nearly all attempts are recorded here and looking one up costs more.
    done: Histogram,
}

impl Measure {
    pub(crate) fn new(settings: &StackSettings) -> Self {
        let topic = settings.topic.to_string();
        let group = settings.group.clone();
        let done = histogram!(
            PROCESS_DURATION,
            "messaging_system_name" => "kafka",
            "messaging_operation_name" => "process",
            "messaging_destination_name" => topic.clone(),
            "messaging_consumer_group_name" => group.clone(),
        );
        Self { topic, group, done }
    }

    pub(crate) async fn around(
        &self,
        attempt: impl Future<Output = Result<Outcome, HandlerError>>,
    ) -> Result<Outcome, HandlerError> {
        let begun = Instant::now();
        let answer = attempt.await;
        self.record(&answer, begun.elapsed());
        answer
    }

    fn record(&self, answer: &Result<Outcome, HandlerError>, took: Duration) {
        match answer {
            Ok(_) => self.done.record(took),
            Err(error) => self.failed(error.class()).record(took),
        }
    }

    fn failed(&self, class: &'static str) -> Histogram {
        histogram!(
            PROCESS_DURATION,
            "messaging_system_name" => "kafka",
            "messaging_operation_name" => "process",
            "messaging_destination_name" => self.topic.clone(),
            "messaging_consumer_group_name" => self.group.clone(),
            "error_type" => class,
        )
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::samples;

    #[tokio::test(start_paused = true)]
    async fn attempts_are_counted_by_topic_group_and_error() {
        let recorder = PrometheusBuilder::new().set_buckets(&[0.5, 1.0]).unwrap().build_recorder();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let measure = Measure::new(&samples::settings());
        let attempt = async |answer| {
            tokio::time::sleep(Duration::from_millis(700)).await;
            answer
        };
        let away = Err(HandlerError::transient("away", "refused"));
        assert!(measure.around(attempt(away)).await.is_err());
        assert!(measure.around(attempt(Ok(Outcome::nothing()))).await.is_ok());

        let text = recorder.handle().render();
        let labels = concat!(
            r#"messaging_system_name="kafka",messaging_operation_name="process","#,
            r#"messaging_destination_name="lines","#,
            r#"messaging_consumer_group_name="orders.price""#,
        );
        for line in [
            format!("{PROCESS_DURATION}_bucket{{{labels},le=\"0.5\"}} 0"),
            format!("{PROCESS_DURATION}_bucket{{{labels},le=\"1\"}} 1"),
            format!("{PROCESS_DURATION}_bucket{{{labels},error_type=\"away\",le=\"1\"}} 1"),
        ] {
            assert!(text.contains(&line), "no {line} in\n{text}");
        }
    }
}
