//! What each outcome writes, on each route, for items that are parts and for those that aren't.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use longshore_handler::{FanOut, HandlerError, Outcome, Output, class};
use longshore_kafka::lane::step::Verdict;
use longshore_kafka::partitioner::partition_for;
use longshore_kafka::{Outgoing, Partition, Record};
use longshore_schemas::headers::{Failure, ID, ORIGIN, TRACEPARENT};
use longshore_schemas::records::{Expect, GroupOpen, InboxRecord, PartError, PartStatus};
use longshore_schemas::{Inbox, Origin, PartHeaders, PartId, Revision, Timestamp};

use super::{Ending, GivenUp, Hop, given_up, of};
use crate::envelope::Envelope;
use crate::{FanOutRoute, Route, Wiring, samples};

const NOW: Timestamp = Timestamp(2_000);

fn topic() -> Route {
    Route::Topic("priced".into())
}

fn fan_out() -> Route {
    Route::FanOut(FanOutRoute {
        topic: "pieces".into(),
        inbox: "orders.pack.inbox".into(),
        inbox_partitions: 8,
        timeout: Duration::from_secs(10),
        parts_max: 3,
    })
}

fn end(wiring: &Wiring, record: &Record, outcome: Outcome) -> Result<Ending, HandlerError> {
    let envelope = Envelope::open(record, wiring.trust).unwrap();
    let hop = Hop { envelope: &envelope, trace: &envelope.trace };
    of(wiring, hop, outcome, NOW)
}

fn outputs(route: Route, record: &Record, outcome: Outcome) -> Vec<Outgoing> {
    end(&samples::wiring(route), record, outcome).unwrap().outputs
}

fn parts(count: u32) -> FanOut {
    (0..count).map(|id| Output::bytes(format!("piece {id}"))).collect()
}

fn text(bytes: Option<&Bytes>) -> String {
    bytes.map_or("-".into(), |bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// An output in a few words.
fn told(output: &Outgoing) -> String {
    let Some(Partition(partition)) = output.partition else {
        let (key, value) = (text(output.key.as_ref()), text(output.value.as_ref()));
        let id = output.headers.text(ID).unwrap_or("-");
        return format!("{}: {key} = {value}, as {id}", output.topic);
    };
    let place = format!("{}/{partition}", output.topic);
    match InboxRecord::decode(output.value.as_ref().unwrap()).unwrap() {
        InboxRecord::Outcome(it) => {
            let payload = text(it.payload.as_ref());
            format!("{place}: {}/{} {:?} {payload}", it.stage, it.part_id, it.status)
        }
        InboxRecord::Open(it) => format!("{place}: {} expects {:?}", it.group_id, it.expect),
        other => panic!("nobody writes {other:?}"),
    }
}

fn written(route: Route, record: &Record, outcome: Outcome) -> (Verdict, Vec<String>) {
    let ending = end(&samples::wiring(route), record, outcome).unwrap();
    let told = ending.outputs.iter().map(told).collect();
    (ending.verdict, told)
}

#[test]
fn an_outcome_is_written_as_its_route_asks() {
    let (item, part) = (samples::record(17), samples::part_record(17));
    let one = || Outcome::from(Output::bytes("out"));
    let many = || Outcome::many(["a", "b"].map(Output::bytes));
    let opened = format!(
        "orders.pack.inbox/{}: lines/3/17 expects Count(2)",
        partition_for(b"lines/3/17", 8)
    );
    let two = ["priced: order 7 = a, as lines/3/17/0/0", "priced: order 7 = b, as lines/3/17/0/1"];
    let pieces = [
        opened.as_str(),
        "pieces: order 7 = piece 0, as lines/3/17/0/0",
        "pieces: order 7 = piece 1, as lines/3/17/0/1",
    ];
    let inbox = |what| format!("orders.settle.inbox/5: price/1 {what}");
    let (skipped, done) = (inbox("Skipped -"), inbox("Done -"));
    let done_out = inbox("Done out");
    use Verdict::{Done, Skipped};
    #[rustfmt::skip]
    let table: Vec<(Route, &Record, Outcome, Verdict, Vec<&str>)> = vec![
        (topic(), &item, Outcome::nothing(), Done, vec![]),
        (topic(), &item, one(), Done, vec!["priced: order 7 = out, as lines/3/17/0"]),
        (topic(), &item, many(), Done, two.to_vec()),
        (topic(), &item, Outcome::skipped(), Skipped, vec![]),
        (topic(), &part, Outcome::nothing(), Done, vec![&skipped]),
        (topic(), &part, one(), Done, vec!["priced: order 7 = out, as lines/3/17/0"]),
        (topic(), &part, Outcome::skipped(), Skipped, vec![&skipped]),
        (Route::Join, &part, Outcome::nothing(), Done, vec![&done]),
        (Route::Join, &part, one(), Done, vec![&done_out]),
        (Route::Join, &part, Outcome::skipped(), Skipped, vec![&skipped]),
        (Route::Join, &item, Outcome::skipped(), Skipped, vec![]),
        (fan_out(), &item, Outcome::fan_out(parts(2)), Done, pieces.to_vec()),
        (fan_out(), &part, Outcome::fan_out(parts(2)), Done, pieces.to_vec()),
        (fan_out(), &item, Outcome::skipped(), Skipped, vec![]),
        (fan_out(), &part, Outcome::skipped(), Skipped, vec![&skipped]),
    ];
    for (route, record, outcome, verdict, expected) in table {
        let case = format!("{route:?} {outcome:?}");
        let (got, told) = written(route, record, outcome);
        assert_eq!((got, told.iter().map(String::as_str).collect()), (verdict, expected), "{case}");
    }
}

#[test]
fn an_outcome_without_a_place_gives_the_item_up() {
    let (item, part) = (samples::record(17), samples::part_record(17));
    let one = || Outcome::from(Output::bytes("out"));
    let many = || Outcome::many(["a", "b"].map(Output::bytes));
    for (route, record, outcome) in [
        (topic(), &item, Outcome::fan_out(parts(2))),
        (topic(), &part, many()),
        (Route::Join, &item, one()),
        (Route::Join, &item, Outcome::nothing()),
        (Route::Join, &part, many()),
        (Route::Join, &part, Outcome::fan_out(parts(2))),
        (fan_out(), &item, one()),
        (fan_out(), &item, Outcome::nothing()),
    ] {
        let case = format!("{route:?} {outcome:?}");
        let error = end(&samples::wiring(route), record, outcome).unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::MISFIT), "{case}");
    }
}

#[test]
fn each_output_has_a_place_of_its_own_in_audit_and_trace() {
    let mut record = samples::part_record(17);
    let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    record.headers.set_text(TRACEPARENT, sent);
    for (route, outcome) in [
        (topic(), Outcome::from(Output::bytes("out"))),
        (Route::Join, Outcome::from(Output::bytes("out"))),
        (fan_out(), Outcome::fan_out(parts(3))),
    ] {
        let written = outputs(route, &record, outcome);
        let origins: Vec<_> = written.iter().map(|it| it.headers.text(ORIGIN).unwrap()).collect();
        let expected: Vec<_> = (0..written.len()).map(|i| format!("lines/3/17/{i}")).collect();
        assert_eq!(origins, expected);
        let spans: BTreeSet<_> =
            written.iter().map(|it| it.headers.text(TRACEPARENT).unwrap()).collect();
        assert_eq!(spans.len(), written.len(), "each is sent in a span of its own");
        for span in spans {
            assert!(span.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{span}");
            assert_ne!(span, sent);
        }
    }
}

#[test]
fn an_output_has_the_key_that_its_handler_chose_and_the_time_of_writing() {
    let record = samples::record(17);
    for (output, key) in [
        (Output::bytes("out"), Some("order 7")),
        (Output::bytes("out").keyed("mine"), Some("mine")),
        (Output::bytes("out").unkeyed(), None),
    ] {
        let written = outputs(topic(), &record, output.into());
        assert_eq!(written[0].key.as_deref(), key.map(str::as_bytes));
        assert_eq!(written[0].timestamp, None);
    }
}

#[test]
fn a_group_is_opened_where_its_parts_will_report() {
    let mut record = samples::part_record(17);
    record.headers.set_text("ls-run", "run 1");
    let written = outputs(fan_out(), &record, Outcome::fan_out(parts(2)));
    let InboxRecord::Open(opening) =
        InboxRecord::decode(written[0].value.as_ref().unwrap()).unwrap()
    else {
        panic!("the opening comes first");
    };
    let expected = GroupOpen {
        group_id: "lines/3/17".into(),
        run_id: Some("run 1".into()),
        revision: Revision::FIRST,
        opened_at: NOW,
        timeout: Duration::from_secs(10),
        expect: Expect::Count(2),
        parent: Some("orders/0/9".into()),
    };
    assert_eq!(opening, expected);
    assert_eq!(text(written[0].key.as_ref()), "lines/3/17");
    let partition = partition_for(b"lines/3/17", 8);
    assert_eq!(written[0].partition, Some(partition));
    for (id, part) in (0..).zip(&written[1..]) {
        let expected = PartHeaders {
            group_id: "lines/3/17".into(),
            revision: Revision::FIRST,
            opened_at: NOW,
            part_id: PartId(id),
            inbox: Inbox { topic: "orders.pack.inbox".into(), partition: partition.0 },
            attempt: 0,
            run_id: Some("run 1".into()),
        };
        assert_eq!(PartHeaders::read(&part.headers), Ok(Some(expected)));
    }
}

#[test]
fn more_parts_than_the_join_takes_give_the_item_up() {
    let record = samples::record(17);
    let wiring = samples::wiring(fan_out());
    assert!(end(&wiring, &record, Outcome::fan_out(parts(3))).is_ok());
    for too_many in [parts(4), parts(0).expecting(Expect::Count(4))] {
        let error = end(&wiring, &record, Outcome::fan_out(too_many)).unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::TOO_MANY_PARTS));
    }
}

fn give_up(wiring: &Wiring, record: &Record) -> Vec<Outgoing> {
    let envelope = Envelope::open(record, wiring.trust).unwrap();
    let error = HandlerError::permanent("sold_out", "no pieces left");
    let given = GivenUp { error: &error, attempts: 5, at: NOW };
    given_up(wiring, record, Some(&envelope), &given).unwrap()
}

#[test]
fn a_dead_letter_is_the_record_byte_for_byte_and_then_its_failure() {
    let mut record = samples::record(17);
    record.headers.push("twice", Some(Bytes::from_static(&[0xFF, 0x00])));
    record.headers.push("twice", None);
    // It was a dead letter once before, of another stage: what that said must stay.
    record.headers.set_text(ORIGIN, "orders/1/2/3");
    for value in [Some(Bytes::from_static(&[0xC3, 0x01, 0xFF])), None] {
        record.value = value;
        let written = give_up(&samples::wiring(topic()), &record);
        let [letter] = written.as_slice() else {
            panic!("an item that is no part leaves a dead letter alone");
        };
        assert_eq!(letter.topic.as_str(), "lines-dlt");
        assert_eq!((&letter.key, &letter.value), (&record.key, &record.value));
        assert_eq!(letter.timestamp, None, "retention would count from it");
        let original: Vec<_> = letter.headers.iter().take(record.headers.len()).collect();
        assert_eq!(original, record.headers.iter().collect::<Vec<_>>());
        let failure = Failure {
            class: "sold_out".into(),
            message: "no pieces left".into(),
            origin: "lines/3/17/0".parse().unwrap(),
            attempts: 5,
            stage: "price".into(),
            failed_at: NOW,
            item_time: record.timestamp,
        };
        assert_eq!(Failure::read(&letter.headers), Ok(Some(failure)));
    }
}

#[test]
fn a_part_that_is_given_up_ends_for_every_stage_that_is_waited_for() {
    let record = samples::part_record(17);
    let mut wiring = samples::wiring(topic());
    wiring.part_stages = vec!["pack".into(), "ship".into()];
    let written = give_up(&wiring, &record);
    assert_eq!(written[0].topic.as_str(), "lines-dlt");
    let mut ended = Vec::new();
    for (index, news) in (1..).zip(&written[1..]) {
        let origin: Origin = news.headers.parse(ORIGIN).unwrap();
        assert_eq!(origin.index, index);
        assert_eq!(news.partition, Some(Partition(5)));
        assert_eq!(text(news.key.as_ref()), "orders/0/9");
        let InboxRecord::Outcome(outcome) =
            InboxRecord::decode(news.value.as_ref().unwrap()).unwrap()
        else {
            panic!("the part's end is an outcome");
        };
        assert_eq!((outcome.revision, outcome.opened_at), (Revision(2), Timestamp(900)));
        assert_eq!((outcome.part_id, outcome.attempt), (PartId(1), 4));
        assert_eq!((outcome.status, &outcome.payload), (PartStatus::Failed, &None));
        assert_eq!(outcome.error, Some(PartError::new("sold_out", "no pieces left")));
        ended.push(outcome.stage.to_string());
    }
    assert_eq!(ended, ["pack", "ship"]);
}
