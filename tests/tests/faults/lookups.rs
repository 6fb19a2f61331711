//! Where a lane begins is asked while a broker is dead, whichever it is.

use std::time::{Duration, Instant};

use longshore_kafka::client::{BrokerOptions, KafkaBroker};
use longshore_kafka::lane::broker::{Broker, Locate, Polled};
use longshore_kafka::{Partition, Settings};
use longshore_tests::Fleet;

use crate::trial::{Brokers, STAGE};

/// Each asks by a client of its own, and each client has a controller in mind: one of three.
const LANES: usize = 8;
/// Brokers take some seconds to see that one of them is dead, and others to take its place over.
const ANSWER_MAX: Duration = Duration::from_secs(40);

#[test]
fn lanes_learn_where_they_begin_whichever_broker_is_dead() {
    let brokers = Brokers::all_alive();
    let cluster = brokers.cluster;
    let fleet = Fleet::new(cluster, STAGE);
    let connect = |number| {
        let group = format!("{}-lookup-{number}", fleet.name());
        let options = BrokerOptions {
            settings: Settings::new(cluster.servers()),
            topic: fleet.done(),
            transactional_id: group.clone(),
            group,
            slot: None,
        };
        KafkaBroker::connect(options).expect("connected")
    };
    let mut lanes: Vec<_> = (0..LANES).map(connect).collect();
    for lane in &mut lanes {
        ask(lane, 0);
        learns(lane, 0, Instant::now());
    }
    for node in 0..3 {
        cluster.crash(node);
        let question = node as u64 + 1;
        lanes.iter_mut().for_each(|lane| ask(lane, question));
        let asked = Instant::now();
        lanes.iter_mut().for_each(|lane| learns(lane, question, asked));
        cluster.restart(node);
    }
}

fn ask(lane: &mut KafkaBroker, question: u64) {
    lane.locate(Locate::progress(question, vec![Partition(0)]));
}

/// Waits for the answer.
fn learns(lane: &mut KafkaBroker, question: u64, asked: Instant) {
    loop {
        assert!(asked.elapsed() < ANSWER_MAX, "question {question} is not answered");
        match lane.poll(Duration::from_millis(20)) {
            Ok(Some(Polled::Located(located))) if located.id == question => {
                located.partitions.expect("an answer");
                return;
            }
            Ok(Some(Polled::Assigned(partitions))) => lane.accept(&partitions).expect("accepted"),
            Ok(Some(Polled::Revoked { partitions, .. })) => {
                lane.release(&partitions).expect("released");
            }
            _ => {}
        }
    }
}
