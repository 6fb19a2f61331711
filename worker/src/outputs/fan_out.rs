//! The opening of a group and its parts, all in one transaction.

use bytes::Bytes;
use longshore_handler::{FanOut, HandlerError, Part, class};
use longshore_kafka::partitioner::partition_for;
use longshore_kafka::{Outgoing, Partition};
use longshore_schemas::records::{Expect, GroupOpen, InboxRecord};
use longshore_schemas::{Inbox, PartHeaders, PartId, Revision, Timestamp};

use super::Hop;
use crate::FanOutRoute;

/// The opening first (the item's output 0), then the parts in their order.
pub(super) fn outputs(
    route: &FanOutRoute,
    hop: Hop<'_>,
    parts: &FanOut,
    now: Timestamp,
) -> Result<Vec<Outgoing>, HandlerError> {
    let expect = parts.expect()?;
    check_count(route, parts, &expect)?;
    let opening = opening(route, hop, expect, now);
    let inbox = inbox(route, &opening);
    let mut outputs = Vec::with_capacity(1 + parts.parts().len());
    outputs.push(opening_record(&inbox, &opening, hop)?);
    for (index, part) in (1..).zip(parts.parts()) {
        let place = place(&opening, &inbox, part.id);
        outputs.push(part_record(route, hop, part, &place, index));
    }
    Ok(outputs)
}

fn check_count(route: &FanOutRoute, parts: &FanOut, expect: &Expect) -> Result<(), HandlerError> {
    let expected = match expect {
        Expect::Parts(parts) => parts.len(),
        Expect::Count(count) => *count as usize,
        Expect::OpenEnded => 0,
    };
    let count = expected.max(parts.parts().len());
    if count > route.parts_max {
        let message = format!(
            "the item has {count} parts of at most {}; raise the join's parts_max or split in two \
             steps",
            route.parts_max
        );
        return Err(HandlerError::permanent(class::TOO_MANY_PARTS, message));
    }
    Ok(())
}

fn opening(route: &FanOutRoute, hop: Hop<'_>, expect: Expect, now: Timestamp) -> GroupOpen {
    let part = hop.envelope.part.as_ref();
    GroupOpen {
        group_id: hop.envelope.origin.group_id(),
        run_id: hop.envelope.run_id.clone(),
        revision: Revision::FIRST,
        opened_at: now,
        timeout: route.timeout,
        expect,
        parent: part.map(|part| part.group_id.clone()),
    }
}

/// Where the group lives: the partition of its id, as any producer would choose it.
fn inbox(route: &FanOutRoute, opening: &GroupOpen) -> Inbox {
    let id = opening.group_id.as_str().as_bytes();
    Inbox { topic: route.inbox.clone(), partition: partition_for(id, route.inbox_partitions).0 }
}

fn opening_record(
    inbox: &Inbox,
    opening: &GroupOpen,
    hop: Hop<'_>,
) -> Result<Outgoing, HandlerError> {
    let key = Bytes::copy_from_slice(opening.group_id.as_str().as_bytes());
    Ok(Outgoing {
        topic: inbox.topic.clone(),
        partition: Some(Partition(inbox.partition)),
        key: Some(key),
        value: Some(InboxRecord::Open(opening.clone()).encode()?),
        headers: hop.about_item(0),
        timestamp: None,
    })
}

fn place(opening: &GroupOpen, inbox: &Inbox, part_id: PartId) -> PartHeaders {
    PartHeaders {
        group_id: opening.group_id.clone(),
        revision: opening.revision,
        opened_at: opening.opened_at,
        part_id,
        inbox: inbox.clone(),
        attempt: 0,
        run_id: opening.run_id.clone(),
    }
}

/// A part is an item of its own, with the id `<id of the item>/<part>`.
fn part_record(
    route: &FanOutRoute,
    hop: Hop<'_>,
    part: &Part,
    place: &PartHeaders,
    index: u32,
) -> Outgoing {
    let mut headers = hop.other_item(index, part.id.0);
    place.write(&mut headers);
    Outgoing {
        topic: route.topic.clone(),
        partition: None,
        key: part.output.key.resolve(hop.envelope.key.as_ref()),
        value: Some(part.output.value.clone()),
        headers,
        timestamp: None,
    }
}
