//! The words of Longshore: what travels on each topic. No I/O, no async, no Kafka client.
//!
//! Reading order: the ids, the headers of a record, the records of a join, and the codec that turns
//! them into bytes and back.

mod cut;
mod ids;
mod origin;
mod time;

pub mod headers;
pub mod records;

mod codec;

pub use codec::{
    BYTES_MAX, Codec, DecodeError, EncodeError, Fingerprint, SchemaError, ValueEncoder, WorkItem,
};
pub use headers::{HeaderError, Headers, PartHeaders};
pub use ids::{GroupId, IdempotencyKey, PartId, Revision, RunId, StageName, TopicName};
pub use origin::{Inbox, Origin, OriginError, ResultOrigin};
pub use time::Timestamp;
