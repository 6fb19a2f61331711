//! The W3C trace context of a record: read from its headers, handed on in the headers of what it
//! causes, so that one trace follows a work item through every stage.
//!
//! Nothing is exported here: ids are made and carried on even when no one collects spans, because
//! log lines have them and because a user's own tracing may continue them.

use std::marker::PhantomData;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

pub use opentelemetry::propagation::{Extractor, Injector};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";

/// A place in a trace: the trace's id, the id of one span in it, whether it is sampled, and the
/// state and baggage that travel along. There always is one; clones are cheap.
#[derive(Debug, Clone)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    /// Most records bring neither state nor baggage, and every item has a context.
    company: Option<Arc<Company>>,
}

/// What travels with a trace, as the library holds it.
#[derive(Debug)]
struct Company {
    state: TraceState,
    baggage: Context,
}

impl TraceContext {
    /// Begins a trace. It is sampled, as by OpenTelemetry's default sampler, so that services which
    /// a handler calls don't take the absence of an exporter here for a wish not to be traced.
    pub fn root() -> Self {
        Self::root_with(None)
    }

    /// The place that a record came from: whoever wrote `traceparent`. Without a well-formed one it
    /// is the root of a new trace, and `tracestate`, which belongs to the old one, is dropped;
    /// `baggage` belongs to no trace and is kept.
    ///
    /// Of a header that repeats, the extractor must give the last value, and none for a value that
    /// isn't UTF-8.
    pub fn extract(headers: &dyn Extractor) -> Self {
        let has_baggage = headers.get(BAGGAGE).is_some();
        let baggage = has_baggage
            .then(|| BaggagePropagator::new().extract_with_context(&Context::new(), headers))
            .filter(|context| !context.baggage().is_empty());
        if !headers.get(TRACEPARENT).is_some_and(is_well_formed) {
            return Self::root_with(baggage);
        }
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), headers);
        if parent.has_active_span() {
            Self::of(parent.span().span_context(), baggage)
        } else {
            Self::root_with(baggage)
        }
    }

    /// [`TraceContext::extract`] from headers that are looked up by name.
    pub fn read<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Self {
        Self::extract(&Lookup(header, PhantomData))
    }

    /// A new span in the same trace, sampled if its parent is. State and baggage stay.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: RandomIdGenerator::default().new_span_id(), ..self.clone() }
    }

    /// Writes this place into the headers of a record that it causes, in place of any that were
    /// forwarded. An empty value is set where there is nothing to say (`tracestate`, `baggage`):
    /// the injector must then remove that header, or a stale one would travel on.
    pub fn inject(&self, headers: &mut dyn Injector) {
        headers.set(TRACEPARENT, self.traceparent());
        let company = self.company.as_deref();
        headers.set(TRACESTATE, company.map(|it| it.state.header()).unwrap_or_default());
        match company.filter(|it| !it.baggage.baggage().is_empty()) {
            Some(company) => BaggagePropagator::new().inject_context(&company.baggage, headers),
            None => headers.set(BAGGAGE, String::new()),
        }
    }

    /// [`TraceContext::inject`] into headers that are set by name; without a value the header is to
    /// be removed.
    pub fn write(&self, set: impl FnMut(&str, Option<&str>)) {
        self.inject(&mut Set(set));
    }

    /// This place as W3C's `traceparent`: `00-<trace id>-<span id>-<flags>`. Written for every
    /// record, so without the machinery of formatting.
    pub fn traceparent(&self) -> String {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text, 3, self.trace_id.to_bytes());
        write_hex(&mut text, 36, self.span_id.to_bytes());
        write_hex(&mut text, 53, [u8::from(self.is_sampled())]);
        std::str::from_utf8(&text).map(str::to_owned).unwrap_or_default()
    }

    /// The id of the trace; shown as 32 hex digits, for the log field `trace_id`.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The id of the span; shown as 16 hex digits, for the log field `span_id`.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether spans of this trace are meant to be recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    fn of(span: &SpanContext, baggage: Option<Context>) -> Self {
        let state = span.trace_state().clone();
        let has_company = baggage.is_some() || state != TraceState::default();
        let company =
            has_company.then(|| Arc::new(Company { state, baggage: baggage.unwrap_or_default() }));
        Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
            company,
        }
    }

    fn root_with(baggage: Option<Context>) -> Self {
        let ids = RandomIdGenerator::default();
        let company =
            baggage.map(|baggage| Arc::new(Company { state: TraceState::default(), baggage }));
        Self {
            trace_id: ids.new_trace_id(),
            span_id: ids.new_span_id(),
            flags: TraceFlags::SAMPLED,
            company,
        }
    }
}

/// Writes bytes as lowercase hex from a place in a text on.
fn write_hex<const BYTES: usize>(text: &mut [u8; 55], from: usize, bytes: [u8; BYTES]) {
    let (digits, _) = text[from..].as_chunks_mut();
    for (digits, byte) in digits.iter_mut().zip(bytes) {
        *digits = HEX[usize::from(byte)];
    }
}

/// Each byte as two digits.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < hex.len() {
        hex[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    hex
};

/// Headers that can only be asked by name; the propagators of ours ask for nothing else.
struct Lookup<'h, F>(F, PhantomData<&'h str>);

impl<'h, F: Fn(&str) -> Option<&'h str>> Extractor for Lookup<'h, F> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0(name)
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Headers that can be set and removed by name.
struct Set<F>(F);

impl<F: FnMut(&str, Option<&str>)> Injector for Set<F> {
    fn set(&mut self, name: &str, value: String) {
        self.0(name, Some(value.as_str()).filter(|value| !value.is_empty()));
    }
}

/// Whether this is a `traceparent` by <https://www.w3.org/TR/trace-context/#traceparent-header>:
/// `version-trace-span-flags` in lowercase hex of exact lengths. The library's parser is laxer (it
/// takes short ids and signs); what it takes beyond this would become an id that nobody gave.
fn is_well_formed(traceparent: &str) -> bool {
    let mut fields = traceparent.split('-');
    let mut next_is_hex = |digits| fields.next().filter(|field| is_hex(field, digits)).is_some();
    let fields_are_hex = [2, 32, 16, 2].into_iter().all(&mut next_is_hex);
    // A version to come may add fields; version 00 has none.
    let is_complete = fields.next().is_none() || !traceparent.starts_with("00");
    fields_are_hex && is_complete && !traceparent.starts_with("ff")
}

fn is_hex(field: &str, digits: usize) -> bool {
    field.len() == digits && field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    /// Headers that behave as [`TraceContext::inject`] asks for.
    #[derive(Default)]
    struct Headers(HashMap<String, String>);

    impl Headers {
        fn of(pairs: &[(&str, &str)]) -> Self {
            Self(pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect())
        }
    }

    #[test]
    fn headers_by_closure_carry_the_same_as_headers_by_trait() {
        let context = TraceContext::root();
        let mut headers = HashMap::from([("tracestate".to_owned(), "stale=1".to_owned())]);
        context.write(|name, value| match value {
            Some(value) => drop(headers.insert(name.to_owned(), value.to_owned())),
            None => drop(headers.remove(name)),
        });
        assert!(!headers.contains_key("tracestate"), "a stale header is removed");
        let read = TraceContext::read(|name| headers.get(name).map(String::as_str));
        assert_eq!(read.trace_id(), context.trace_id());
        assert_eq!(read.span_id(), context.span_id());
    }

    impl Extractor for Headers {
        fn get(&self, name: &str) -> Option<&str> {
            self.0.get(name).map(String::as_str)
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(String::as_str).collect()
        }
    }

    impl Injector for Headers {
        fn set(&mut self, name: &str, value: String) {
            self.0.remove(name);
            if !value.is_empty() {
                self.0.insert(name.to_owned(), value);
            }
        }
    }

    fn traceparent(flags: &str) -> String {
        format!("00-{TRACE}-{SPAN}-{flags}")
    }

    #[test]
    fn a_child_continues_the_trace_of_the_record() {
        let parent = TraceContext::extract(&Headers::of(&[("traceparent", &traceparent("01"))]));
        assert_eq!(parent.trace_id().to_string(), TRACE);
        assert_eq!(parent.span_id().to_string(), SPAN);
        let child = parent.child();
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child.span_id(), parent.span_id());
    }

    #[test]
    fn the_sampled_flag_of_the_parent_is_kept_and_a_root_is_sampled() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("03", true)] {
            let headers = Headers::of(&[("traceparent", &traceparent(flags))]);
            assert_eq!(TraceContext::extract(&headers).child().is_sampled(), sampled, "{flags}");
        }
        assert!(TraceContext::root().is_sampled());
    }

    #[test]
    fn state_and_baggage_travel_with_the_trace() {
        let headers = Headers::of(&[
            ("traceparent", &traceparent("01")),
            ("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
            ("baggage", "tenant=blue%20ocean;secret"),
        ]);
        let mut out = Headers::default();
        TraceContext::extract(&headers).child().inject(&mut out);
        assert_eq!(out.get("tracestate"), headers.get("tracestate"));
        assert_eq!(out.get("baggage"), headers.get("baggage"));
    }

    #[test]
    fn headers_that_were_forwarded_are_replaced() {
        let mut headers = Headers::of(&[
            ("traceparent", "00-not-a-parent"),
            ("tracestate", "congo=stale"),
            ("baggage", "unreadable"),
        ]);
        let context = TraceContext::extract(&headers).child();
        context.inject(&mut headers);
        let written = format!("00-{}-{}-01", context.trace_id(), context.span_id());
        assert_eq!(headers.get("traceparent"), Some(&*written));
        assert_eq!(headers.get("tracestate"), None);
        assert_eq!(headers.get("baggage"), None);
    }

    #[test]
    fn a_new_root_keeps_the_baggage_and_drops_the_old_state() {
        let headers = Headers::of(&[("tracestate", "congo=stale"), ("baggage", "tenant=blue")]);
        let mut out = Headers::default();
        TraceContext::extract(&headers).inject(&mut out);
        assert_eq!(out.get("baggage"), Some("tenant=blue"));
        assert_eq!(out.get("tracestate"), None);
    }

    #[test]
    fn malformed_parents_begin_a_new_trace() {
        let zeros = "0".repeat(32);
        for malformed in [
            String::new(),
            "00".into(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
        ] {
            let context = TraceContext::extract(&Headers::of(&[("traceparent", &malformed)]));
            assert_ne!(context.trace_id().to_string(), TRACE, "{malformed}");
            assert_ne!(context.trace_id(), TraceId::INVALID, "{malformed}");
        }
    }

    #[test]
    fn a_version_to_come_is_understood_as_far_as_it_is_known() {
        let later = format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings");
        let context = TraceContext::extract(&Headers::of(&[("traceparent", &later)]));
        assert_eq!(context.trace_id().to_string(), TRACE);
    }

    proptest! {
        #[test]
        fn any_headers_give_a_context_that_survives_a_round_trip(
            parent in ".{0,80}|[0-9a-f]{2}-[0-9a-f]{30,34}-[0-9a-f]{15,17}-[0-9a-f]{2}(-.*)?",
            state in ".{0,80}",
            baggage in ".{0,80}",
        ) {
            let headers = Headers::of(
                &[("traceparent", &*parent), ("tracestate", &*state), ("baggage", &*baggage)]);
            let context = TraceContext::extract(&headers);
            let mut out = Headers::default();
            context.inject(&mut out);
            prop_assert!(is_well_formed(out.get("traceparent").unwrap()));
            let again = TraceContext::extract(&out);
            prop_assert_eq!(again.trace_id(), context.trace_id());
            prop_assert_eq!(again.span_id(), context.span_id());
            prop_assert_eq!(again.is_sampled(), context.is_sampled());
        }

        #[test]
        fn every_well_formed_parent_is_continued(
            trace in 1u128.., span in 1u64.., flags in any::<u8>(),
        ) {
            let parent = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
            let context = TraceContext::extract(&Headers::of(&[("traceparent", &parent)]));
            prop_assert_eq!(context.trace_id().to_string(), format!("{trace:032x}"));
            prop_assert_eq!(context.span_id().to_string(), format!("{span:016x}"));
            prop_assert_eq!(context.is_sampled(), flags & 1 == 1);
        }
    }
}
