//! A join for unit tests.

use std::sync::Arc;
use std::time::Duration;

use longshore_handler::{Context, Group, Handler, HandlerError, Handlers, Outcome};
use longshore_kafka::lane::step::{Epoch, Item};
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::records::{Expect, GroupOpen, InboxRecord, PartOutcome, PartStatus};
use longshore_schemas::{GroupId, PartId, Revision, Timestamp};

use crate::gather::{Action, Closing, Gather, OnFailed, OnLate, OnTimeout, Rules, Tolerate, When};
use crate::{JoinConfig, JoinTopics};

const TIMEOUT: Duration = Duration::from_secs(1);

fn rules() -> Rules {
    Rules {
        of: vec!["work".into()],
        when: When::AllEnded,
        tolerate: Tolerate::default(),
        on_failed: OnFailed::Include,
        on_timeout: OnTimeout::Partial,
        late: OnLate::Topic,
        timeout: TIMEOUT,
        orphan_timeout: TIMEOUT,
        closed_retention: TIMEOUT,
        closed_marks_max: 1,
        parts_max: 1,
        open_bytes_max: 1 << 20,
        spill_bytes_max: 0,
        replay_max: 1_000_000,
        replay_age_max: TIMEOUT,
    }
}

fn topics() -> JoinTopics {
    JoinTopics {
        inbox: "j.inbox".into(),
        journal: "j.journal".into(),
        conflicts: "j.conflicts".into(),
        orphans: "j.orphans".into(),
        late: "j.late".into(),
        cancels: "j.cancels".into(),
        results: "results".into(),
    }
}

/// The join whose gather is the only handler there is.
pub(crate) fn config(handlers: &Handlers) -> JoinConfig {
    let (_, gather) = handlers.iter().next().unwrap();
    JoinConfig {
        join: "j".into(),
        group: "p.j".into(),
        topics: topics(),
        rules: rules(),
        gather: Arc::clone(&gather.service),
        attempts_max: 1,
        backoff_initial: Duration::from_millis(1),
        backoff_max: Duration::from_millis(1),
        concurrency: 1,
    }
}

/// The join of a gather that answers with nothing.
pub(crate) fn join() -> JoinConfig {
    let mut handlers = Handlers::new();
    handlers.add("nothing", Nothing).unwrap();
    config(&handlers)
}

struct Nothing;

impl Handler for Nothing {
    type Item = Group;

    async fn handle(&self, _: Group, _: &Context) -> Result<Outcome, HandlerError> {
        Ok(Outcome::nothing())
    }
}

/// A group of so many parts that closes after a second.
pub(crate) fn opening(group_id: GroupId, parts: u32) -> InboxRecord {
    InboxRecord::Open(GroupOpen {
        group_id,
        run_id: None,
        revision: Revision::FIRST,
        opened_at: Timestamp(0),
        timeout: TIMEOUT,
        expect: Expect::Count(parts),
        parent: None,
    })
}

/// So many bytes from a group's only part.
pub(crate) fn part(group_id: GroupId, bytes: usize) -> InboxRecord {
    InboxRecord::Outcome(PartOutcome {
        group_id,
        revision: Revision::FIRST,
        opened_at: Timestamp(0),
        stage: "work".into(),
        part_id: PartId(0),
        attempt: 0,
        status: PartStatus::Done,
        payload: Some(vec![b'x'; bytes].into()),
        error: None,
    })
}

/// An item of the inbox that was appended at this time.
pub(crate) fn item(offset: i64, millis: i64, record: &InboxRecord) -> Arc<Item> {
    let record = Record {
        topic: topics().inbox,
        partition: Partition(0),
        offset: Offset(offset),
        key: None,
        value: Some(record.encode().unwrap()),
        headers: Default::default(),
        timestamp: Some(Timestamp(millis)),
    };
    Arc::new(Item { epoch: Epoch(1), record })
}

/// A group that closes at once: it expects no part.
pub(crate) fn closing(group_id: GroupId) -> Closing {
    let mut core = Gather::new(rules());
    core.resume();
    let effects = core.absorb(0, Timestamp(0), opening(group_id, 0));
    match effects.into_iter().next().map(|effect| effect.action) {
        Some(Action::Close(closing)) => *closing,
        other => panic!("{other:?}"),
    }
}
