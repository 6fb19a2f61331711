//! One span for each attempt, so that every line logged within says which item it is about.

use std::sync::Arc;

use tracing::{Instrument, Span, field};

use crate::{Answer, Context, Raw, Service};

/// Opens the span around an attempt.
pub(crate) struct Trace {
    pub(crate) inner: Arc<dyn Service>,
    pub(crate) group: String,
}

impl Trace {
    /// The fields have the names that log lines have everywhere.
    fn span(&self, cx: &Context) -> Span {
        tracing::info_span!(
            "process",
            group = self.group,
            topic = cx.origin.topic.as_str(),
            partition = cx.origin.partition,
            offset = cx.origin.offset,
            stage = cx.stage.as_str(),
            attempt = cx.attempt,
            trace_id = cx.trace_id(),
            span_id = cx.span_id(),
            error.type = field::Empty,
        )
    }
}

impl Service for Trace {
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
        let span = self.span(cx);
        let attempt = async move {
            let answer = self.inner.call(input, cx).await;
            if let Err(error) = &answer {
                Span::current().record("error.type", error.class());
                tracing::debug!(error = error.message(), "attempt failed");
            }
            answer
        };
        Box::pin(attempt.instrument(span))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::{HandlerError, samples};

    /// Lines as they were logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            log.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn text(&self) -> String {
            let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8(log.clone()).unwrap()
        }
    }

    #[tokio::test]
    async fn what_is_logged_within_an_attempt_names_its_item_and_its_error() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);

        let fails = samples::answering(|_| Err(HandlerError::transient("away", "refused")));
        let mut cx = samples::context();
        cx.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        let group = "orders.price".into();
        let trace = Trace { inner: fails, group };
        assert!(trace.call(Raw::Record(None), &cx).await.is_err());

        let text = log.text();
        for field in [
            r#"group="orders.price""#,
            r#"topic="lines""#,
            "partition=3",
            "offset=17",
            "attempt=1",
            r#"trace_id="0af7651916cd43dd8448eb211c80319c""#,
            r#"error.type="away""#,
            r#"error="refused""#,
        ] {
            assert!(text.contains(field), "no {field} in {text}");
        }
    }
}
