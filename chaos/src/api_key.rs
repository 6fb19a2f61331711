//! The kinds of requests, as Kafka's protocol numbers them.

use std::fmt;

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKey(pub i16);

impl ApiKey {
    /// Writes records.
    pub const PRODUCE: Self = Self(0);
    /// Reads records.
    pub const FETCH: Self = Self(1);
    /// Makes its sender a member of a group.
    pub const JOIN_GROUP: Self = Self(11);
    /// Gives a producer its id and epoch, and fences the one before.
    pub const INIT_PRODUCER_ID: Self = Self(22);
    /// Takes partitions into a transaction.
    pub const ADD_PARTITIONS_TO_TXN: Self = Self(24);
    /// Takes a group's offsets into a transaction.
    pub const ADD_OFFSETS_TO_TXN: Self = Self(25);
    /// Commits or aborts a transaction.
    pub const END_TXN: Self = Self(26);
    /// Ends a transaction in the partitions that it wrote to; brokers send it to brokers.
    pub const WRITE_TXN_MARKERS: Self = Self(27);
    /// Writes a group's offsets into a transaction.
    pub const TXN_OFFSET_COMMIT: Self = Self(28);

    /// The requests of a transaction but those that carry its records.
    pub const TRANSACTIONAL: [Self; 4] = [
        Self::ADD_PARTITIONS_TO_TXN,
        Self::ADD_OFFSETS_TO_TXN,
        Self::END_TXN,
        Self::TXN_OFFSET_COMMIT,
    ];
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PRODUCE => f.write_str("Produce"),
            Self::FETCH => f.write_str("Fetch"),
            Self::JOIN_GROUP => f.write_str("JoinGroup"),
            Self::INIT_PRODUCER_ID => f.write_str("InitProducerId"),
            Self::ADD_PARTITIONS_TO_TXN => f.write_str("AddPartitionsToTxn"),
            Self::ADD_OFFSETS_TO_TXN => f.write_str("AddOffsetsToTxn"),
            Self::END_TXN => f.write_str("EndTxn"),
            Self::WRITE_TXN_MARKERS => f.write_str("WriteTxnMarkers"),
            Self::TXN_OFFSET_COMMIT => f.write_str("TxnOffsetCommit"),
            Self(other) => write!(f, "request {other}"),
        }
    }
}
