//! The join as a lane sees it: what it asks of the journal, and what it answers to a refusal.

use std::sync::Mutex;

use longshore_schemas::records::GroupStatus;
use longshore_telemetry::TraceContext;

use super::*;
use crate::fixture;
use crate::outputs::Outputs;

const PLACE: Partition = Partition(0);

/// A question to the journal that waits for its answer.
type Asked = (JournalFrom, JournalAnswer);

/// A join whose questions to the journal are answered by the test.
fn step() -> (JoinStep, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let ask = Arc::clone(&asked);
    let read = Arc::new(move |_: Partition, from: JournalFrom, answer: JournalAnswer, _| {
        ask.lock().unwrap().push((from, answer));
    });
    let clocks = Arc::new(|| Now { steady: Duration::ZERO, wall: Timestamp(0) });
    (JoinStep::new(fixture::join(), Handle::current(), read, clocks), asked)
}

fn assign(step: &mut JoinStep, epoch: u64, state: &str) {
    let (partition, epoch, position) = (PLACE, Epoch(epoch), Offset(100));
    step.assigned(&Assignment { partition, epoch, position, state: state.to_owned() });
    step.flush().unwrap();
}

#[tokio::test]
async fn the_journal_is_read_from_where_it_stood_and_back_to_what_is_still_remembered() {
    let (mut step, asked) = step();
    assign(&mut step, 1, "");
    // What has closed is remembered for a second.
    assign(&mut step, 2, "l70.j12.w5000");
    let from: Vec<_> = asked.lock().unwrap().iter().map(|(from, _)| *from).collect();
    let stood = JournalFrom { offset: 12, since: Some(Timestamp(4_000)) };
    assert_eq!(from, [JournalFrom { offset: 0, since: None }, stood]);
}

#[tokio::test]
async fn a_partition_that_comes_back_waits_for_its_own_journal() {
    let (mut step, asked) = step();
    assign(&mut step, 1, "l70.j12.w5000");
    step.forgotten(PLACE);
    assign(&mut step, 2, "l80.j12.w5000");
    let answers: Vec<_> = std::mem::take(&mut *asked.lock().unwrap());
    let mut answers = answers.into_iter().map(|(_, answer)| answer);
    answers.next().expect("it was asked")(Ok(JournalRead::default()));
    assert_eq!(step.prepared().unwrap(), []);
    answers.next().expect("it was asked")(Ok(JournalRead::default()));
    let prepared = Prepared { partition: PLACE, epoch: Epoch(2), from: Offset(80) };
    assert_eq!(step.prepared().unwrap(), [prepared]);
}

#[tokio::test]
async fn a_result_is_made_smaller_once_and_then_no_further() {
    let (mut step, _) = step();
    let gathered = Gathered::given_up(fixture::closing("g".into()), 1);
    assert_eq!(gathered.closed.status, GroupStatus::Failed);
    let outputs = Outputs { config: &step.config, partition: PLACE };
    let mut finished = Finished {
        partition: PLACE,
        epoch: Epoch(1),
        item: None,
        outputs: outputs.gathered(gathered, &TraceContext::root()).unwrap(),
        verdict: Verdict::Done,
    };
    let (topic, code) = (step.config.topics.results.clone(), "MSG_SIZE_TOO_LARGE".to_owned());
    let refusal = Refusal { topic, code, message: "too large".to_owned() };
    assert!(step.refused(&finished, &refusal).is_some());
    finished.verdict = Verdict::Failed;
    assert_eq!(step.refused(&finished, &refusal), None);
}
