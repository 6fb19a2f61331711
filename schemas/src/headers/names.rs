//! The names of headers.

/// The origin of an output: `topic/partition/offset/index`, or of a result:
/// `join/group/revision/index`. Of a dead letter: the record that failed.
pub const ORIGIN: &str = "ls-origin";
/// The id of a work item: the same in every topic it passes.
pub const ID: &str = "ls-id";
/// The group that the item is a part of.
pub const GROUP: &str = "ls-group";
/// The revision of that group.
pub const REVISION: &str = "ls-revision";
/// When that group was opened, in milliseconds since 1970.
pub const OPENED_AT: &str = "ls-opened-at";
/// The item's number within that group.
pub const PART: &str = "ls-part";
/// The inbox partition that collects the group: `topic/partition`.
pub const INBOX: &str = "ls-inbox";
/// How many times the part was sent through its stage before.
pub const ATTEMPT: &str = "ls-attempt";
/// The run that the item belongs to.
pub const RUN: &str = "ls-run";
/// What makes side effects of the item safe to repeat.
pub const IDEMPOTENCY_KEY: &str = "ls-idempotency-key";
/// Of a dead letter: the kind of error.
pub const ERROR_CLASS: &str = "ls-error-class";
/// Of a dead letter: what happened, at most 1 KiB.
pub const ERROR_MESSAGE: &str = "ls-error-message";
/// Of a dead letter: how many attempts were made.
pub const ATTEMPTS: &str = "ls-attempts";
/// Of a dead letter: the stage that gave up.
pub const STAGE: &str = "ls-stage";
/// Of a dead letter: when, in milliseconds since 1970.
pub const FAILED_AT: &str = "ls-failed-at";

/// Of a dead letter: the timestamp of the item, in milliseconds since 1970.
pub const TIMESTAMP: &str = "ls-timestamp";

/// Of a dead letter that comes from no topic: the file or generator that it was read from.
pub const SOURCE: &str = "ls-source";
/// Of such a dead letter: the number of its line or item in there, from 1.
pub const LINE: &str = "ls-line";

/// What begins the name of every header of ours: stripped from records of a source, where anyone
/// may have written them.
pub const OURS: &str = "ls-";

/// Where in a trace the record was sent (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
/// What tracing systems add to that (W3C Trace Context).
pub const TRACESTATE: &str = "tracestate";
/// What travels along a trace (W3C Baggage).
pub const BAGGAGE: &str = "baggage";
/// The id of a record that is a CloudEvent in binary mode (CloudEvents, Kafka protocol binding).
pub const CE_ID: &str = "ce_id";

/// The names that nearly every record carries: many records are in memory at once, so these stand
/// there only once.
const COMMON: [&str; 12] = [
    ORIGIN,
    ID,
    GROUP,
    REVISION,
    OPENED_AT,
    PART,
    INBOX,
    ATTEMPT,
    IDEMPOTENCY_KEY,
    TRACEPARENT,
    TRACESTATE,
    BAGGAGE,
];

/// The name without a copy of its own, if it is a common one.
pub(super) fn interned(name: &str) -> Option<&'static str> {
    COMMON.into_iter().find(|common| *common == name)
}
