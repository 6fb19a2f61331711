//! The way from an item to what is made of it: the headers that go on.
//!
//! A user's own headers are forwarded, as Kafka Streams does. Those of Longshore are written anew,
//! the trace context is that of the sending, and what describes the value that came in (the
//! attributes of a CloudEvent, the content type) ends here: it would be a lie about the value that
//! goes out.

use longshore_schemas::headers::{ID, IDEMPOTENCY_KEY, OURS, RUN};
use longshore_schemas::{Headers, Origin};
use longshore_telemetry::TraceContext;

use crate::envelope::Envelope;
use crate::trace_headers;

/// What begins the name of each attribute of a CloudEvent (CloudEvents, Kafka protocol binding).
const CLOUD_EVENT: &str = "ce_";
/// What kind of value a record has, in the same binding and elsewhere.
const CONTENT_TYPE: &str = "content-type";

/// Room for the headers of ours that most items have.
const OURS_MOST: usize = 4;

/// An item, and the span in which it was handled. `index` is the place of an output among all that
/// the item has.
#[derive(Clone, Copy)]
pub(crate) struct Hop<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) trace: &'a TraceContext,
}

impl Hop<'_> {
    /// The headers of an output that is still the same item: the user's, then ours.
    pub(super) fn same_item(&self, index: u32) -> Headers {
        let mut headers = self.item(index, str::to_owned);
        if let Some(part) = &self.envelope.part {
            part.write(&mut headers);
        }
        headers
    }

    /// The headers of an output that is an item of its own, told apart from its siblings by
    /// `number`.
    pub(super) fn other_item(&self, index: u32, number: u32) -> Headers {
        self.item(index, |name| format!("{name}/{number}"))
    }

    /// The headers of a record that tells a join about the item; the user's would only take room
    /// there.
    pub(super) fn about_item(&self, index: u32) -> Headers {
        let mut headers = Headers::new();
        self.add_ours(&mut headers, index);
        headers.set(ID, self.envelope.id.clone());
        headers
    }

    fn item(&self, index: u32, named: impl Fn(&str) -> String) -> Headers {
        let mut headers = self.envelope.headers.some(is_the_users, OURS_MOST);
        self.add_ours(&mut headers, index);
        headers.set(ID, named(&self.envelope.id));
        if let Some(key) = &self.envelope.given_key {
            headers.set(IDEMPOTENCY_KEY, named(key.as_str()));
        }
        headers
    }

    fn add_ours(&self, headers: &mut Headers, index: u32) {
        let origin = Origin { index, ..self.envelope.origin.clone() };
        origin.write(headers);
        if let Some(run_id) = &self.envelope.run_id {
            headers.set_text(RUN, run_id);
        }
        trace_headers::replace(headers, &self.trace.child());
    }
}

fn is_the_users(name: &str) -> bool {
    !name.starts_with(OURS) && !name.starts_with(CLOUD_EVENT) && name != CONTENT_TYPE
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use longshore_kafka::Record;
    use longshore_schemas::headers::{CE_ID, ORIGIN, TRACEPARENT};
    use longshore_schemas::{PartHeaders, PartId};
    use proptest::prelude::*;

    use super::*;
    use crate::{Trust, samples};

    fn same_item(record: &Record) -> (Envelope, Headers) {
        let envelope = Envelope::open(record, Trust::Pipeline).unwrap();
        let hop = Hop { envelope: &envelope, trace: &envelope.trace };
        let headers = hop.same_item(0);
        (envelope, headers)
    }

    #[test]
    fn what_describes_the_value_that_came_does_not_go_on() {
        let mut record = samples::record(17);
        for (name, value) in [(CE_ID, "event 3"), ("ce_type", "sold"), (CONTENT_TYPE, "text")] {
            record.headers.set_text(name, value);
        }
        record.headers.set_text("tenant", "acme");
        record.headers.set_text("ls-error-class", "an old failure");
        let (_, headers) = same_item(&record);
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["tenant", ORIGIN, TRACEPARENT, ID]);
        assert_eq!(headers.text(ID), Some("event 3"));
    }

    fn users_headers() -> impl Strategy<Value = Vec<(String, Option<Vec<u8>>)>> {
        let header = ("[a-z]{1,8}x", proptest::option::of(any::<Vec<u8>>()));
        proptest::collection::vec(header, 0..6)
    }

    proptest! {
        #[test]
        fn an_item_is_the_same_one_behind_a_hop(
            users in users_headers(),
            id in "\\PC{1,20}",
            key in proptest::option::of("\\PC{1,20}"),
            part_id in proptest::option::of(any::<u32>()),
        ) {
            let mut record = samples::record(17);
            for (name, value) in &users {
                record.headers.push(name, value.clone().map(Bytes::from));
            }
            record.headers.set_text(ID, &id);
            if let Some(key) = &key {
                record.headers.set_text(IDEMPOTENCY_KEY, key);
            }
            if let Some(part_id) = part_id {
                let part = PartHeaders { part_id: PartId(part_id), ..samples::part() };
                part.write(&mut record.headers);
            }
            let (before, headers) = same_item(&record);
            record.headers = headers;
            let after = Envelope::open(&record, Trust::Pipeline).unwrap();

            prop_assert_eq!(&after.id, &before.id);
            prop_assert_eq!(&after.given_key, &before.given_key);
            prop_assert_eq!(&after.part, &before.part);
            prop_assert_eq!(after.trace.trace_id(), before.trace.trace_id());
            let forwarded = after.headers.iter().take(users.len());
            let forwarded = forwarded.map(|(name, value)| (name, value.map(|it| &**it)));
            let given = users.iter().map(|(name, value)| (name.as_str(), value.as_deref()));
            prop_assert!(given.eq(forwarded));
        }
    }
}
