//! The trace context in the headers of a record.

use longshore_schemas::Headers;
use longshore_telemetry::{Extractor, Injector, TraceContext};

/// Where a record was sent from; the root of a new trace if it doesn't say.
pub(crate) fn extract(headers: &Headers) -> TraceContext {
    TraceContext::extract(&Read(headers))
}

/// Replaces whatever trace context is in the headers.
pub(crate) fn replace(headers: &mut Headers, trace: &TraceContext) {
    trace.inject(&mut Write(headers));
}

struct Read<'a>(&'a Headers);

impl Extractor for Read<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.text(name)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name).collect()
    }
}

struct Write<'a>(&'a mut Headers);

impl Injector for Write<'_> {
    fn set(&mut self, name: &str, value: String) {
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.set(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_schemas::headers::{BAGGAGE, TRACEPARENT, TRACESTATE};

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_goes_on_under_a_new_span() {
        let mut headers = Headers::new();
        headers.set_text(TRACEPARENT, PARENT);
        headers.set_text(TRACESTATE, "vendor=1");
        headers.set_text(BAGGAGE, "tenant=7");
        let child = extract(&headers).child();
        replace(&mut headers, &child);
        assert_eq!(headers.len(), 3, "replaced, not added");
        assert_eq!(headers.text(TRACEPARENT), Some(child.traceparent().as_str()));
        assert_ne!(headers.text(TRACEPARENT), Some(PARENT));
        assert_eq!(extract(&headers).trace_id(), child.trace_id());
        assert_eq!(headers.text(TRACESTATE), Some("vendor=1"));
        assert_eq!(headers.text(BAGGAGE), Some("tenant=7"));
    }

    #[test]
    fn state_and_baggage_of_another_trace_do_not_travel_on() {
        let mut headers = Headers::new();
        headers.set_text(TRACESTATE, "vendor=1");
        headers.set_text(BAGGAGE, "tenant=7");
        replace(&mut headers, &TraceContext::root());
        assert_eq!(headers.text(TRACESTATE), None);
        assert_eq!(headers.text(BAGGAGE), None);
    }
}
