//! A partition at work: its ticks, its room, and what it leaves for the next owner.

use super::*;
use crate::fixture::{self, item};
use crate::gather::Rules;

/// A tick asks for the time, or says it.
const TICK: Option<i64> = None;
/// More than half of what open groups may take.
const LARGE: usize = 600 << 10;

/// A partition of which nothing is known yet; payloads may go to a file of so many bytes.
fn new_task(spill_bytes_max: usize) -> JoinTask {
    let config = fixture::join();
    let rules = Rules { spill_bytes_max, ..config.rules.clone() };
    let first = JournalMark { from: 0, end: 0, watermark: Timestamp(0) };
    let place = (Partition(1), Epoch(1));
    JoinTask::new(Arc::new(JoinConfig { rules, ..config }), place, JournalMarks::new(first))
}

/// A live partition, without a file.
fn task() -> JoinTask {
    let mut task = new_task(0);
    assert!(task.resume(Offset(0), 0).unwrap().is_empty());
    task
}

fn open(task: &mut JoinTask, at: i64, group: &str) {
    let opening = item(at, at, &fixture::opening(group.into(), 1));
    assert!(task.absorb(opening).unwrap().is_empty());
}

/// A group opens, and its only part closes it.
fn close(task: &mut JoinTask, at: i64, group: &str, bytes: usize) -> Job {
    open(task, at, group);
    let mut jobs = task.absorb(item(at + 1, at, &fixture::part(group.into(), bytes))).unwrap();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

fn end(task: &mut JoinTask, job: Job) {
    let gathered = Gathered::given_up(job.closing, 1);
    task.gathered((job.number, job.slot), gathered).unwrap();
}

fn hand_over(task: &mut JoinTask, millis: u64) -> Vec<Finished> {
    let mut outcomes = Vec::new();
    let now = Now { steady: Duration::from_millis(millis), wall: Timestamp(0) };
    task.hand_over(now, &mut outcomes).unwrap();
    outcomes
}

/// The items that are handed over, by their offsets.
fn handed_over(task: &mut JoinTask, millis: u64) -> Vec<Option<i64>> {
    let outcomes = hand_over(task, millis);
    outcomes.iter().map(|it| it.offset().map(|offset| offset.0)).collect()
}

#[test]
fn while_a_deadline_is_due_a_tick_is_written_each_second_once_the_last_is_committed() {
    let mut task = task();
    open(&mut task, 0, "a");
    assert_eq!(handed_over(&mut task, 0), [Some(0), TICK]);
    for seconds in 1..100 {
        assert_eq!(handed_over(&mut task, seconds * 1_000), [], "the first isn't committed");
    }
    task.committed(2, Offset(1), None);
    let ticks = hand_over(&mut task, 100_000);
    let place = |it: &Outgoing| (it.topic.to_string(), it.partition);
    assert_eq!(ticks.len(), 1);
    assert_eq!(place(&ticks[0].outputs[0]), ("j.inbox".into(), Some(Partition(1))));
    task.committed(1, Offset(1), None);
    assert_eq!(handed_over(&mut task, 100_999), []);
    assert_eq!(handed_over(&mut task, 101_000), [TICK]);
}

#[test]
fn a_smaller_transaction_after_one_that_failed_reads_the_journal_from_where_it_stood() {
    let mut task = task();
    open(&mut task, 0, "a");
    assert_eq!(handed_over(&mut task, 0), [Some(0), TICK]);
    task.committed(2, Offset(1), Some(10));
    let part = item(1, 1, &fixture::part("a".into(), 1));
    assert!(task.give_up(part, 3).unwrap().is_empty());
    assert_eq!(handed_over(&mut task, 0), [Some(1)]);
    let mut state = |position, count| {
        let state = task.state(Offset(position), count);
        (state.low, state.journal)
    };
    assert_eq!(state(2, 1), (2, 10));
    assert_eq!(state(1, 0), (0, 0));
}

#[test]
fn what_is_being_gathered_takes_room_until_its_gather_has_ended() {
    let mut task = task();
    let job = close(&mut task, 0, "a", LARGE);
    open(&mut task, 2, "b");
    let part = item(3, 3, &fixture::part("b".into(), LARGE));
    assert!(task.absorb(part).unwrap().is_empty());
    assert!(task.waits());
    end(&mut task, job);
    assert_eq!(task.absorb_waiting().unwrap().len(), 1);
    assert!(!task.waits());
}

#[test]
fn a_record_that_has_no_room_after_all_gathers_have_ended_stops_the_join() {
    let mut task = task();
    let job = close(&mut task, 0, "a", LARGE);
    let part = item(2, 2, &fixture::part("b".into(), 2 * LARGE));
    assert!(task.absorb(part).unwrap().is_empty());
    assert!(task.waits());
    end(&mut task, job);
    let error = task.absorb_waiting().map(drop).unwrap_err().to_string();
    assert!(error.contains("`open_bytes_max`"), "{error}");
}

#[test]
fn what_is_none_of_ours_is_set_aside_once_and_not_by_a_replay() {
    let ours = item(0, 0, &fixture::opening("a".into(), 1));
    let record = Record { value: Some("none of ours".into()), ..ours.record.clone() };
    let mut task = new_task(0);
    task.replay(&record).unwrap();
    assert!(task.resume(Offset(1), 0).unwrap().is_empty());
    assert_eq!(handed_over(&mut task, 0), []);
    let record = Record { offset: Offset(1), ..record };
    assert!(task.absorb(Arc::new(Item { epoch: Epoch(1), record })).unwrap().is_empty());
    let outcomes = hand_over(&mut task, 0);
    assert_eq!(outcomes[0].outputs[0].topic.as_str(), "j.conflicts");
}

#[test]
fn a_take_over_keeps_to_the_bounds() {
    let replay = |spill_bytes_max| {
        let mut task = new_task(spill_bytes_max);
        for (number, group) in ["a", "b"].into_iter().enumerate() {
            let at = 2 * number as i64;
            task.replay(&item(at, at, &fixture::opening(group.into(), 1)).record)?;
            let part = fixture::part(group.into(), LARGE);
            task.replay(&item(at + 1, at, &part).record)?;
        }
        Ok::<_, StepError>(task.spilled_bytes())
    };
    let error = replay(0).unwrap_err().to_string();
    assert!(error.contains("`open_bytes_max`"), "{error}");
    assert!(replay(4 * LARGE).unwrap() >= LARGE);
}
