//! The layers around a handler, put together here and nowhere else.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use longshore_schemas::TopicName;

use crate::layers::{AtWork, Measure, Timeout, catch_panics};
use crate::{Answer, Context, HandlerError, Outcome, Raw, Service};

/// What the layers around one handler are told.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// The topic that its items are read from, for logs and metrics.
    pub topic: TopicName,
    /// The consumer group that reads them, likewise.
    pub group: String,
    /// The time one attempt may take.
    pub item_timeout: Duration,
}

/// A handler with its layers.
pub struct Stack {
    at_work: AtWork,
    measure: Measure,
    timeout: Timeout,
    handler: Arc<dyn Service>,
}

impl Stack {
    /// Puts the layers around a handler.
    pub fn new(handler: Arc<dyn Service>, settings: &StackSettings) -> Self {
        Self {
            at_work: AtWork { group: settings.group.clone() },
            measure: Measure::new(settings),
            timeout: Timeout { limit: settings.item_timeout },
            handler,
        }
    }

    /// Makes one attempt: trying again is the worker's affair, which parks the item's key
    /// meanwhile.
    ///
    /// Outermost first, with the places of layers to come:
    ///
    /// 1. *at work*, so that whatever the others say is said about an item;
    /// 2. *measure*, so that an attempt counts however it ends;
    /// 3. authentication, then the rate limit: what isn't let in, and what waits to be let in, must
    ///    cost its neighbours nothing further in;
    /// 4. the circuit breaker, which must see the failures of all that stands below it;
    /// 5. *panic*, below all that counts failures, because a panic becomes one here;
    /// 6. *timeout*, innermost: it bounds the handler's own time and no one else's.
    ///
    /// # Errors
    /// What the handler failed with, or the layer that ended the attempt.
    pub async fn attempt(&self, input: Raw, cx: &Context) -> Result<Outcome, HandlerError> {
        // Begun within the layers: a handler that panics before it has a future panics there too.
        // Each layer is given a pointer to what it stands around: a future that takes another one
        // has room for it twice, and each of four would double what is copied for an item.
        let attempt = pin!(async { self.handler.call(input, cx).await });
        let attempt = pin!(self.timeout.around(attempt));
        let attempt = pin!(catch_panics(attempt));
        let attempt = pin!(self.measure.around(attempt));
        self.at_work.around(cx, attempt).await
    }
}

impl Service for Stack {
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
        Box::pin(self.attempt(input, cx))
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::{class, samples};

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_hangs_or_panics_is_a_failed_attempt_that_is_measured() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let cx = samples::context();
        let settings = samples::settings();
        let attempt = async |handler| {
            let stacked = Stack::new(handler, &settings);
            let answer = stacked.attempt(Raw::Record(None), &cx).await;
            answer.map_err(|error: HandlerError| error.class())
        };

        let quick = || samples::answering(|_| Ok(Outcome::nothing()));
        assert_eq!(attempt(quick()).await, Ok(Outcome::nothing()));
        let hangs = samples::slow(Duration::from_secs(3600), quick());
        assert_eq!(attempt(hangs).await, Err(class::TIMEOUT));
        let panics = samples::answering(|_| panic!("no price"));
        assert_eq!(attempt(panics).await, Err(class::PANIC));

        let text = recorder.handle().render();
        for class in ["timeout", "panic"] {
            let label = format!("error_type=\"{class}\"");
            assert!(text.contains(&label), "no {label} in\n{text}");
        }
    }
}
