//! Records and wirings that the tests of this crate share.

use bytes::Bytes;
use longshore_kafka::{Offset, Partition, Record};
use longshore_schemas::{Headers, Inbox, PartHeaders, PartId, Revision, Timestamp};

use crate::{Route, Trust, Wiring};

/// A record of partition 3 of `lines`.
pub(crate) fn record(offset: i64) -> Record {
    Record {
        topic: "lines".into(),
        partition: Partition(3),
        offset: Offset(offset),
        key: Some(Bytes::from_static(b"order 7")),
        value: Some(Bytes::from_static(b"line 1")),
        headers: Headers::new(),
        timestamp: Some(Timestamp(1_000)),
    }
}

/// The second part of a group.
pub(crate) fn part() -> PartHeaders {
    PartHeaders {
        group_id: "orders/0/9".into(),
        revision: Revision(2),
        opened_at: Timestamp(900),
        part_id: PartId(1),
        inbox: Inbox { topic: "orders.settle.inbox".into(), partition: 5 },
        attempt: 4,
        run_id: None,
    }
}

/// A record that is that part.
pub(crate) fn part_record(offset: i64) -> Record {
    let mut record = record(offset);
    part().write(&mut record.headers);
    record
}

/// The stage `price` between `lines` and the route.
pub(crate) fn wiring(route: Route) -> Wiring {
    Wiring {
        stage: "price".into(),
        trust: Trust::Pipeline,
        route,
        part_stages: vec!["price".into()],
        dead_letters: "lines-dlt".into(),
    }
}
