//! Performs effects, cut into what is committed as one.
//!
//! A tick after an hour of downtime makes tens of thousands of groups due at once, as do new rules
//! at a take-over: more than a transaction carries in the time that it has. So all that may go
//! ahead of its record does, each group as an outcome of its own, and the lane puts as many of them
//! into a transaction as it does of any others. It knows what they weigh, which nobody does before
//! their gathers have ended; and a result that is refused is found among them as among any others.

use std::collections::VecDeque;
use std::sync::Arc;

use longshore_kafka::lane::step::{Item, StepError};
use longshore_telemetry::TraceContext;

use super::{Absorbed, Job, JoinTask, Slot, count, trace_of};
use crate::closing::Gathered;
use crate::gather::{Action, Effect};
use crate::outputs::Outputs;

impl JoinTask {
    /// Writes what can be written now, and gives the gathers that have to run first. The item
    /// leaves with the last of it.
    pub(super) fn perform(
        &mut self,
        item: Option<Arc<Item>>,
        deaths: Option<u32>,
        effects: Vec<Effect>,
    ) -> Result<Vec<Job>, StepError> {
        let trace = trace_of(item.as_deref());
        let (ahead, own) = pieces(effects);
        let mut jobs = Vec::new();
        for piece in ahead {
            jobs.extend(self.perform_piece((None, trace.clone()), deaths, piece)?);
        }
        jobs.extend(self.perform_piece((item, trace), deaths, own)?);
        Ok(jobs)
    }

    /// What is committed as one.
    fn perform_piece(
        &mut self,
        (item, trace): (Option<Arc<Item>>, TraceContext),
        deaths: Option<u32>,
        effects: Vec<Effect>,
    ) -> Result<Vec<Job>, StepError> {
        let number = self.first + self.absorbed.len() as u64;
        let outputs = Outputs { config: &self.config, partition: self.partition };
        let (mut slots, mut holds, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for effect in effects {
            count(&self.config, &effect.action);
            holds.extend(effect.releases().cloned());
            slots.push(match (effect.action, deaths) {
                (Action::Close(closing), Some(deaths)) => {
                    let gathered = Gathered::given_up(*closing, deaths);
                    Slot::Ready(outputs.gathered(gathered, &trace)?)
                }
                (Action::Close(closing), None) => {
                    let bytes = closing.bytes();
                    self.closings += 1;
                    self.closing_bytes += bytes;
                    jobs.push(Job { number, slot: slots.len(), closing: *closing });
                    Slot::Gathering(bytes)
                }
                (Action::Late(late), _) => Slot::Ready(vec![outputs.late(late)?]),
                (Action::Conflict(conflict), _) => Slot::Ready(vec![outputs.conflict(&conflict)?]),
                (Action::Orphan(orphan), _) => Slot::Ready(outputs.orphan(&orphan)?),
                (Action::Cancel(cancel), _) => Slot::Ready(vec![outputs.cancel(&cancel)]),
                (Action::Carry(carry), _) => Slot::Ready(outputs.carry(*carry)?),
            });
        }
        self.absorbed.push_back(Absorbed { item, trace, outputs: slots, holds });
        Ok(jobs)
    }
}

/// Cuts what comes of one record, in its order: what may be committed ahead of the record, piece by
/// piece, and what is committed with it, which is one piece from the first effect on that the
/// journal doesn't tell of. A piece closes one group at most, and so does what comes with the
/// record: a record itself touches only one.
fn pieces(effects: Vec<Effect>) -> (Vec<Vec<Effect>>, Vec<Effect>) {
    let mut own = VecDeque::from(effects);
    let mut ahead = Vec::new();
    loop {
        let count = match (own.front(), own.get(1)) {
            (Some(first), Some(_)) if first.is_journalled() => 1,
            (Some(first), Some(next)) if first.goes_with(next) && own.len() > 2 => 2,
            _ => break,
        };
        ahead.push(own.drain(..count).collect());
    }
    (ahead, own.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use longshore_kafka::lane::step::Epoch;
    use longshore_kafka::{Offset, Partition};
    use longshore_schemas::records::{InboxRecord, PartOutcome, PartStatus, Tick};
    use longshore_schemas::{GroupId, PartId, Revision, Timestamp};

    use super::*;
    use crate::fixture;
    use crate::gather::{Cancel, Late, LateCause};
    use crate::journal::{JournalMark, JournalMarks};
    use crate::step::Now;

    fn late(group_id: GroupId) -> Action {
        let outcome = PartOutcome {
            group_id,
            revision: Revision::FIRST,
            opened_at: Timestamp(0),
            stage: "work".into(),
            part_id: PartId(0),
            attempt: 0,
            status: PartStatus::Skipped,
            payload: None,
            error: None,
        };
        Action::Late(Late { cause: LateCause::Missing, offset: 0, outcome: Box::new(outcome) })
    }

    /// `+a` closes a group, `!a` cancels it, `~a` is a late part of it.
    fn effect(word: &str) -> Effect {
        let group_id = GroupId::from(&word[1..]);
        let action = match &word[..1] {
            "+" => Action::Close(Box::new(fixture::closing(group_id))),
            "!" => Action::Cancel(Cancel { group_id, revision: Revision::FIRST }),
            "~" => late(group_id),
            other => panic!("unknown effect {other}"),
        };
        Effect { at: Some(0), action }
    }

    fn word(effect: &Effect) -> String {
        match &effect.action {
            Action::Close(closing) => format!("+{}", closing.closed.group_id),
            Action::Cancel(cancel) => format!("!{}", cancel.group_id),
            Action::Late(late) => format!("~{}", late.outcome.group_id),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_journalled_goes_ahead_one_group_at_a_time_and_the_rest_with_the_record() {
        // Each line: the effects; what goes ahead, piece by piece; what leaves with the record.
        let table = [
            ("", "", ""),
            ("+a", "", "+a"),
            ("~x", "", "~x"),
            ("+a +b", "+a", "+b"),
            ("+a +b +c", "+a | +b", "+c"),
            ("+a ~x", "+a", "~x"),
            ("+a ~x +b", "+a", "~x +b"),
            ("~x +a +b", "", "~x +a +b"),
            ("!a +a", "", "!a +a"),
            ("!a +a +b", "!a +a", "+b"),
            ("!a +a !b +b", "!a +a", "!b +b"),
            ("+c !a +a !b +b", "+c | !a +a", "!b +b"),
            ("!a +a ~x", "!a +a", "~x"),
            // Of another group, so not told by the journal's word on this one.
            ("!a +b +c", "", "!a +b +c"),
            ("+c !a ~x", "+c", "!a ~x"),
        ];
        let join = |piece: &[Effect]| piece.iter().map(word).collect::<Vec<_>>().join(" ");
        for (effects, expected_ahead, expected_own) in table {
            let (ahead, own) = pieces(effects.split_whitespace().map(effect).collect());
            let ahead: Vec<_> = ahead.iter().map(|piece| join(piece)).collect();
            assert_eq!((&*ahead.join(" | "), &*join(&own)), (expected_ahead, expected_own));
        }
    }

    /// What is handed over, by the offset of its item.
    fn handed_over(task: &mut JoinTask) -> Vec<Option<i64>> {
        let mut outcomes = Vec::new();
        let now = Now { steady: Duration::ZERO, wall: Timestamp(0) };
        task.hand_over(now, &mut outcomes).unwrap();
        outcomes.iter().map(|it| it.offset().map(|offset| offset.0)).collect()
    }

    /// Three groups, and a tick at offset 3 that ends their time. The outcomes of the openings, and
    /// of the word that asks for the time, are committed.
    fn three_due() -> (JoinTask, Arc<Item>) {
        let first = JournalMark { from: 0, end: 0, watermark: Timestamp(0) };
        let place = (Partition(0), Epoch(1));
        let marks = JournalMarks::new(first);
        let mut task = JoinTask::new(Arc::new(fixture::join()), place, marks);
        assert!(task.resume(Offset(0), 0).unwrap().is_empty());
        for (offset, group) in (0..).zip(["a", "b", "c"]) {
            let opening = fixture::opening(group.into(), 1);
            assert!(task.absorb(fixture::item(offset, offset, &opening)).unwrap().is_empty());
        }
        assert_eq!(handed_over(&mut task), [Some(0), Some(1), Some(2), None]);
        task.committed(4, Offset(3), None);
        let tick = InboxRecord::Tick(Tick { at: Timestamp(5_000), owner: "owner".into() });
        (task, fixture::item(3, 5_000, &tick))
    }

    #[test]
    fn what_a_tick_closes_is_handed_over_in_order_and_the_tick_last() {
        let (mut task, tick) = three_due();
        let jobs = task.absorb(tick).unwrap();
        let places: Vec<_> = jobs.iter().map(|job| (job.number, job.slot)).collect();
        assert_eq!(places, [(3, 0), (4, 0), (5, 0)]);
        let mut gathered = jobs.into_iter().map(|job| Gathered::given_up(job.closing, 1));
        let [a, b, c] = [(); 3].map(|()| gathered.next().unwrap());
        task.gathered((5, 0), c).unwrap();
        assert_eq!(handed_over(&mut task), []);
        task.gathered((3, 0), a).unwrap();
        assert_eq!(handed_over(&mut task), [None]);
        task.gathered((4, 0), b).unwrap();
        assert_eq!(handed_over(&mut task), [None, Some(3)]);
    }

    #[test]
    fn only_what_a_deadly_record_closes_fails_untried() {
        let (mut task, tick) = three_due();
        assert!(task.give_up(tick, 3).unwrap().is_empty());
        let next = fixture::opening("d".into(), 0);
        let jobs = task.absorb(fixture::item(4, 5_001, &next)).unwrap();
        assert_eq!(jobs.len(), 1, "its gather is called");
    }

    #[test]
    fn each_group_holds_the_replay_until_its_own_outcome_is_committed() {
        let (mut task, tick) = three_due();
        // It has killed processes, so no gather is run.
        assert!(task.give_up(tick, 3).unwrap().is_empty());
        assert_eq!(handed_over(&mut task), [None, None, Some(3)]);
        let lows = [0, 1, 2].map(|count| task.state(Offset(3), count).low);
        assert_eq!(lows, [0, 1, 2]);
        assert_eq!(task.state(Offset(4), 3).low, 4);
        task.committed(1, Offset(4), Some(1));
        let lows = [0, 1].map(|count| task.state(Offset(3), count).low);
        assert_eq!(lows, [1, 2]);
        task.committed(2, Offset(4), Some(3));
        assert_eq!(task.state(Offset(4), 0).low, 4);
    }
}
