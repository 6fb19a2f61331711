//! What a handler may know of the item beside its value.

use std::sync::Arc;

use bytes::Bytes;
use longshore_schemas::{Headers, IdempotencyKey, Origin, PartHeaders, StageName, Timestamp};

/// Where an item comes from and which attempt this is. Plain data: a test of a handler makes one by
/// [`Context::new`] and sets what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The stage that handles it.
    pub stage: StageName,
    /// The record it came by; for a gather, the opening of the group.
    pub origin: Origin,
    /// The item's id: the same in every topic that it passes.
    pub id: String,
    /// Which attempt this is, from 1. Attempts of a process that crashed don't count.
    pub attempt: u32,
    /// The attempt after which the item is given up.
    pub attempts_max: u32,
    /// What makes side effects safe to repeat: the same for every attempt at the item, in whichever
    /// process, and in every stage. Add [`Context::stage`] where two stages call the same service.
    pub idempotency_key: IdempotencyKey,
    /// The record's key.
    pub key: Option<Bytes>,
    /// The record's headers. Those of a source without Longshore's own, which anyone may have set.
    pub headers: Arc<Headers>,
    /// The record's timestamp.
    pub timestamp: Option<Timestamp>,
    /// What makes it a part of a group, if it is one.
    pub part: Option<PartHeaders>,
    /// This attempt's place in its trace, as W3C's `traceparent`: to be sent along when another
    /// service is called. Empty in a context that was made by hand.
    pub traceparent: String,
}

impl Context {
    /// The first and only attempt at an item without key, headers or group.
    pub fn new(stage: impl Into<StageName>, origin: Origin) -> Self {
        let id = origin.to_string();
        Self {
            stage: stage.into(),
            idempotency_key: id.as_str().into(),
            id,
            origin,
            attempt: 1,
            attempts_max: 1,
            key: None,
            headers: Arc::default(),
            timestamp: None,
            part: None,
            traceparent: String::new(),
        }
    }

    /// Whether the item is given up if this attempt fails.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.attempts_max
    }

    /// The id of the trace, 32 hex digits; empty if there is none.
    pub fn trace_id(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// The id of this attempt's span, 16 hex digits; empty if there is none.
    pub fn span_id(&self) -> &str {
        self.traceparent.split('-').nth(2).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::samples;

    #[test]
    fn ids_of_the_trace_are_read_from_the_traceparent() {
        let mut cx = samples::context();
        assert_eq!((cx.trace_id(), cx.span_id()), ("", ""));
        cx.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
        assert_eq!(cx.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(cx.span_id(), "b7ad6b7169203331");
    }

    #[test]
    fn an_item_without_a_name_goes_by_its_origin() {
        let cx = samples::context();
        assert_eq!(cx.id, "lines/3/17/0");
        assert_eq!(cx.idempotency_key.as_str(), "lines/3/17/0");
        assert!(cx.is_last_attempt());
    }
}
