//! What a record of an audited topic says of itself.

use longshore_kafka::Record;
use longshore_schemas::headers::{Failure, ORIGIN};
use longshore_schemas::records::{InboxRecord, PartStatus};
use longshore_schemas::{Origin, ResultOrigin, StageName};

/// What it claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Made of an item, by whatever stage writes here.
    Made(Origin),
    /// Made of an item in the name of this stage: a part's outcome.
    Ended {
        /// The item.
        origin: Origin,
        /// The stage.
        stage: StageName,
        /// How.
        status: PartStatus,
    },
    /// An item that this stage gave up.
    DeadLetter {
        /// The item.
        origin: Origin,
        /// The stage.
        stage: StageName,
    },
    /// The result of a join.
    Result(ResultOrigin),
    /// A tick of a join's owner: of no item.
    NoItem,
    /// Nothing that can be traced; what stands where its origin should.
    Untraceable(String),
}

impl Claim {
    pub(super) fn of(record: &Record) -> Self {
        if let Ok(Some(failure)) = Failure::read(&record.headers) {
            return Self::DeadLetter { origin: failure.origin, stage: failure.stage };
        }
        if let Ok(Some(origin)) = Origin::read(&record.headers) {
            return Self::Made(origin);
        }
        if let Ok(Some(origin)) = ResultOrigin::read(&record.headers) {
            return Self::Result(origin);
        }
        match record.headers.get(ORIGIN) {
            Some(text) => Self::Untraceable(String::from_utf8_lossy(text).into_owned()),
            None => Self::Untraceable("none".to_owned()),
        }
    }

    /// The same, of a record of an inbox that says this, if it can be read.
    pub(super) fn of_inbox(record: &Record, says: Option<&InboxRecord>) -> Self {
        match (says, Self::of(record)) {
            (Some(InboxRecord::Tick(_)), _) => Self::NoItem,
            (Some(InboxRecord::Outcome(outcome)), Self::Made(origin)) => {
                let (stage, status) = (outcome.stage.clone(), outcome.status);
                Self::Ended { origin, stage, status }
            }
            (_, claim) => claim,
        }
    }
}

/// What a record of an inbox says.
pub(super) fn inbox_record(record: &Record) -> Option<InboxRecord> {
    InboxRecord::decode(record.value.as_ref()?).ok()
}
