//! Records are deleted that a running worker hasn't read yet.

use std::fs;

use longshore_kafka::admin::Stability;
use longshore_kafka::{Offset, Partition};
use longshore_tests::{Cluster, Fleet, Job, Onlooker, Shape, until};
use serde_json::Value;

/// All of one key, the first of which is held: more than a lane takes in.
const ITEMS: i64 = 12_000;
/// The first record that is left.
const LEFT: Offset = Offset(10_000);

#[test]
fn a_running_stage_stops_before_a_gap_and_goes_on_behind_it_only_when_told() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
    let release = fleet.file("release");
    let job = |number| Job::echo(number, "key");
    let behind = (1..ITEMS).map(job);
    fleet.publish(std::iter::once(job(0).held_until(&release)).chain(behind));
    // Markers of its transactions stand between the items: offsets aren't quite numbers.
    let items = fleet.records(&fleet.items());
    let left = items.iter().filter(|it| it.offset < LEFT).count();

    let onlooker = Onlooker::of(&fleet);
    let worker = fleet.worker();
    until("it has taken in what it may", || {
        (worker.counter("longshore_paused_partitions", &[]) == 1).then_some(())
    });
    fleet.admin().delete_records(&fleet.items(), &[(Partition(0), LEFT)]).expect("deleted");
    fs::write(&release, "").expect("the release is given");
    let (code, said) = worker.ends();
    assert_eq!(code, 1, "{said}");
    let read = expired_from(&said);
    let ended = fleet.ledger().ended();
    assert!(0 < read && read < LEFT.0, "it has read all, or nothing: {read}");
    assert!(ended as i64 <= read, "{ended} have ended of {read} that were read");
    fleet.ledger().each_once(ended as i64);

    let position = position(&fleet);
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "{said}");
    assert_eq!(expired_from(&said), position, "{said}");
    assert_eq!(fleet.ledger().ended(), ended, "something was done behind the gap");

    let said = fleet.succeeds(&["progress", "accept-loss", "--stage", "work"]);
    assert!(said.contains(&format!("at most {} items", LEFT.0 - position)), "{said}");
    let (code, said) = fleet.worker().ends();
    assert_eq!(code, 1, "nothing has changed without --yes: {said}");
    fleet.succeeds(&["progress", "accept-loss", "--stage", "work", "--yes"]);
    let worker = fleet.worker();
    fleet.until_ended(ended + items.len() - left);
    worker.stop();
    let given_up = fleet.ledger().dead();
    assert!(given_up.is_empty(), "given up: {given_up:?}");
    let done = fleet.ledger().done();
    let gaps: Vec<_> = done.windows(2).filter(|it| it[0] + 1 != it[1]).collect();
    assert_eq!(gaps, [[ended as i64 - 1, left as i64]], "of {} items", done.len());
    onlooker.agrees();
    audit_tells_of_expired(&fleet, ended);
}

/// Where the range begins that a lane says has expired.
fn expired_from(said: &str) -> i64 {
    let range = said.split("partition 0: offsets ").nth(1).unwrap_or_else(|| panic!("{said}"));
    let mut words = range.split(' ');
    let (from, to, last) = (words.next(), words.next(), words.next());
    assert_eq!((to, last), (Some("to"), Some(LEFT.0.to_string().as_str())), "{said}");
    assert!(range.contains("expired before they were processed"), "{said}");
    from.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

fn position(fleet: &Fleet) -> i64 {
    let found = fleet.progress().read(&fleet.items(), Stability::Stable);
    let found = found.expect("the Kafka answers");
    found[0].1.as_ref().expect("it has committed").offset.0
}

/// The audit says of how many outputs it can't see the items any more.
fn audit_tells_of_expired(fleet: &Fleet, outputs: usize) {
    let said = fleet.succeeds(&["audit", "-o", "json"]);
    let json = said.find('{').map_or("", |start| &said[start..]);
    let answer = serde_json::Deserializer::from_str(json).into_iter::<Value>().next();
    let answer = answer.unwrap_or_else(|| panic!("{said}")).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(answer["report"]["stages"][0]["expired"], outputs, "{said}");
}
