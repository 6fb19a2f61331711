//! The walking skeleton: one order in, one settled order out, however often its file is published.

use longshore::schemas::Codec;
use longshore::schemas::records::{CompletedBy, GroupResult, GroupStatus};
use longshore_orders::items::SettledOrder;

use crate::machine::{Orders, until};

/// Two lines: 1,000 cents less a tenth and taxed with a twentieth, and 50 cents.
const ORDER: &str = include_str!("order.jsonl");

#[test]
fn an_order_becomes_one_settled_order_and_stays_one() {
    let orders = Orders::new("one-order");
    let file = orders.file("orders.jsonl", ORDER);
    let file = file.to_str().unwrap();

    let fleet = orders.start(&["run"]);
    until("the topics are there", || orders.run(&["apply"]).code == Some(0));
    let published = orders.run(&["produce", file, "-o", "json"]);
    assert_eq!(published.code, Some(0), "{published:?}");
    until("the order is settled", || !orders.committed("settled").is_empty());

    let again = orders.run(&["produce", file]);
    assert!(again.answer.starts_with("already published"), "{again:?}");
    let said = fleet.stop();
    assert_eq!(said.code, Some(0), "{said:?}");

    let settled = orders.committed("settled");
    assert_eq!(settled.len(), 1);
    let value = settled[0].value.as_ref().unwrap();
    let result = Codec::<GroupResult>::shared().unwrap().decode(value).unwrap();
    assert_eq!((result.status, result.completed_by), (GroupStatus::Complete, CompletedBy::All));
    assert_eq!((result.counts.expected, result.counts.done), (4, 4));
    let payload = result.payload.unwrap();
    let order = Codec::<SettledOrder>::shared().unwrap().decode(&payload).unwrap();
    let expected =
        SettledOrder { total_price: 995, status: "P".to_owned(), priced: 2, supplied: 2 };
    assert_eq!(order, expected);
}

#[test]
fn stages_and_joins_share_the_work_as_processes_of_their_own() {
    let orders = Orders::new("processes");
    let file = orders.file("orders.jsonl", ORDER);
    assert_eq!(orders.run(&["apply"]).code, Some(0));
    let split = orders.start(&["work", "--stage", "split", "--slot", "s"]);
    let lines = orders.start(&["work", "--stage", "price", "--stage", "supply"]);
    let settle = orders.start(&["coordinate", "--join", "settle"]);
    assert_eq!(orders.run(&["produce", file.to_str().unwrap()]).code, Some(0));
    until("the order is settled", || orders.committed("settled").len() == 1);
    for process in [split, lines, settle] {
        let said = process.stop();
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}

#[test]
fn of_two_processes_in_one_slot_the_first_stops_and_says_why() {
    let orders = Orders::new("slot");
    assert_eq!(orders.run(&["apply"]).code, Some(0));
    let slot = ["work", "--stage", "price", "--slot", "only", "--drain-timeout", "5s"];
    // Who is there for twice a session and ten seconds is no member that nobody is.
    let session = ["--session-timeout", "6s", "--transaction-timeout", "5s"];
    let work = [&slot[..], &session].concat();
    let first = orders.start(&work);
    let members = || {
        let group = orders.admin().group(&orders.topic("price")).unwrap();
        group.map_or(0, |group| group.members.len())
    };
    until("the first has joined", || members() == 1);
    let second = orders.start(&work);
    let said = first.ended();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.complaint.contains("give each process a slot of its own"), "{said:?}");
    assert_eq!(second.stop().code, Some(0));
}
