//! Open groups are found from the inbox, the journal and the committed state, as their owner's
//! successor would find them.

use std::time::Duration;

use longshore::inspect::open_groups::{JoinView, Waiting};
use longshore::inspect::{Consumer, InspectError, Kind, Observer};
use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Rules, Tolerate, When};
use longshore_kafka::Outgoing;
use longshore_schemas::records::{Expect, GroupOpen, InboxRecord, PartOutcome, PartStatus};
use longshore_schemas::{GroupId, PartId, Revision, Timestamp, TopicName};

use crate::harness::*;

fn view(inbox: &TopicName, journal: &TopicName, group: &str) -> JoinView {
    let consumer = Consumer {
        name: "settle".into(),
        kind: Kind::Join,
        group: group.to_owned(),
        topic: inbox.clone(),
    };
    let rules = Rules {
        of: vec!["price".into()],
        when: When::AllDone,
        tolerate: Tolerate::default(),
        on_failed: OnFailed::Include,
        on_timeout: OnTimeout::Partial,
        late: OnLate::Drop,
        timeout: Duration::from_secs(3_600),
        orphan_timeout: Duration::from_secs(60),
        closed_retention: Duration::from_secs(3_600),
        closed_marks_max: 100,
        parts_max: 100,
        open_bytes_max: 1 << 20,
        spill_bytes_max: 1 << 20,
        replay_max: 1_000_000,
        replay_age_max: Duration::from_secs(3_600),
    };
    JoinView { consumer, journal: journal.clone(), rules, records_max: 1_000 }
}

fn inbox_record(inbox: &TopicName, record_of: InboxRecord) -> Outgoing {
    let mut record = record(inbox, "group");
    record.value = Some(record_of.encode().expect("encodes"));
    record
}

fn opening(inbox: &TopicName, group: &str) -> Outgoing {
    inbox_record(
        inbox,
        InboxRecord::Open(GroupOpen {
            group_id: group.into(),
            run_id: None,
            revision: Revision(1),
            opened_at: Timestamp::now(),
            timeout: Duration::from_secs(3_600),
            expect: Expect::Count(3),
            parent: None,
        }),
    )
}

fn done(inbox: &TopicName, group: &str, part: u32) -> Outgoing {
    inbox_record(
        inbox,
        InboxRecord::Outcome(PartOutcome {
            group_id: group.into(),
            revision: Revision(1),
            opened_at: Timestamp::now(),
            stage: "price".into(),
            part_id: PartId(part),
            attempt: 0,
            status: PartStatus::Done,
            payload: None,
            error: None,
        }),
    )
}

fn open_groups(view: &JoinView) -> Result<Vec<Waiting>, Box<InspectError>> {
    let observer = Observer::connect(&settings()).expect("a Kafka");
    Ok(view.open_groups(&observer, |_| true)?)
}

fn ids(groups: &[Waiting]) -> Vec<GroupId> {
    groups.iter().map(|it| it.group.group_id.clone()).collect()
}

#[test]
fn groups_are_open_until_all_their_parts_have_ended() {
    let (inbox, journal, group) = (topic("inbox"), topic("journal"), unique("group"));
    let mut records = vec![opening(&inbox, "g/0/1"), opening(&inbox, "g/0/2")];
    records.extend((0..3).map(|part| done(&inbox, "g/0/1", part)));
    records.push(done(&inbox, "g/0/2", 1));
    write(&records, End::Commit);
    write(&[opening(&inbox, "g/0/3")], End::Abort);
    let view = view(&inbox, &journal, &group);

    let open = open_groups(&view).expect("read");
    assert_eq!(ids(&open), ["g/0/2".into()]);
    let missing: Vec<_> = open[0].missing.iter().map(|it| it.part_id.0).collect();
    assert_eq!((open[0].group.counts.done, missing), (1, vec![0, 2]));

    // Its owner has absorbed the first five records; the rest is absorbed here.
    commit_state(&group, &inbox, 5, (&[], "l1.j0.w0"));
    assert_eq!(ids(&open_groups(&view).expect("read")), ["g/0/2".into()]);

    let short = JoinView { records_max: 3, ..view };
    let error = open_groups(&short).unwrap_err().to_string();
    assert!(error.contains("raise --records-max"), "{error}");
}
