//! One record, or a take-over, that closes very many groups: they leave one by one.

use std::sync::atomic::Ordering;

use super::*;

/// Of each, one part of three has come.
const MISSING: [u32; 2] = [1, 2];
/// Owners that may die before a history has gone on for too long.
const DEATHS_MAX: usize = 300;

impl World {
    /// So many groups in partition 0 of each of which one part comes.
    fn write_unfinished(&mut self, groups: u32, part: impl Fn(&GroupId) -> InboxRecord) {
        let mut records = Vec::new();
        for number in 0..groups {
            let group = GroupId::from(format!("in/0/{number}"));
            records.extend([(0, opening(&group)), (0, part(&group))]);
            self.missing.insert(group, MISSING.into());
        }
        records.chunks(100).for_each(|chunk| write(&self.cluster, chunk));
    }

    /// The next owner dies when it has begun so many transactions and committed all but the last.
    fn die_after(&self, transactions: usize) {
        for _ in 0..transactions {
            self.cluster.fail_next(Call::Begin, Fault::Slow(Duration::ZERO));
        }
        self.cluster.fail_next(Call::Begin, Fault::Crash);
    }

    /// Every owner commits so many transactions and dies, until every group has its result; gives
    /// how many died.
    fn run_through_deaths(&mut self, transactions: usize) -> usize {
        for deaths in 0..DEATHS_MAX {
            self.die_after(transactions);
            let ran = self.run();
            self.cluster.end_faults();
            self.cluster.advance(Duration::from_secs(60));
            match ran {
                Ok(()) => return deaths,
                Err(error) => assert!(error.to_string().contains("CRASHED"), "{error}"),
            }
        }
        panic!("{DEATHS_MAX} owners, and still no end");
    }

    fn ahead(&self) -> usize {
        self.ahead.load(Ordering::Relaxed)
    }

    fn check_each_has_one(&self, groups: usize) {
        assert_eq!(self.results().len(), groups);
        assert_eq!(self.cluster.read_committed(&topics().results).len(), groups, "one each");
    }

    fn results(&self) -> BTreeMap<GroupId, GroupResult> {
        let codec = Codec::<GroupResult>::shared().expect("a schema");
        let records = self.cluster.read_committed(&topics().results).into_iter();
        let decode = |record: longshore_kafka::Record| {
            let result = codec.decode(&record.value.expect("a value")).expect("a result");
            (result.group_id.clone(), result)
        };
        records.map(decode).collect()
    }
}

fn first_part(group: &GroupId) -> InboxRecord {
    outcome(group, 0)
}

fn failed_part(group: &GroupId) -> InboxRecord {
    match outcome(group, 0) {
        InboxRecord::Outcome(outcome) => InboxRecord::Outcome(PartOutcome {
            status: PartStatus::Failed,
            payload: None,
            ..outcome
        }),
        other => other,
    }
}

#[test]
fn thousands_of_groups_that_are_due_at_one_tick_leave_one_by_one() {
    let mut world = World::new(1);
    world.write_unfinished(3_000, first_part);
    world.run().expect("it drains");
    world.check();
    assert!(world.ahead() > 2_900, "{} closings went ahead", world.ahead());
}

#[test]
fn an_owner_that_dies_between_the_groups_of_one_tick_changes_nothing() {
    for transactions in 1..=4 {
        let mut world = World::new(2);
        world.write_unfinished(150, first_part);
        let deaths = world.run_through_deaths(transactions);
        world.check();
        // Seven outcomes in a transaction.
        assert!(deaths > 150 / 7 / transactions, "{deaths} owners died");
    }
}

#[test]
fn an_owner_that_dies_anywhere_among_the_groups_of_one_tick_changes_nothing() {
    let calls = [Call::Begin, Call::Produce, Call::SendProgress, Call::Commit, Call::Poll];
    let mut faults: Vec<_> = calls.iter().map(|call| (*call, Fault::Crash)).collect();
    // A commit of which nobody knows whether it has landed: it has, and it hasn't.
    faults.push((Call::Commit, Fault::AnswerLost(Remedy::Rebuild)));
    faults.push((Call::Commit, Fault::Fails(Remedy::Rebuild)));
    let mut all = 0;
    for seed in 0..SEEDS / 10 {
        let mut world = World::new(seed);
        world.write_unfinished(100, first_part);
        world.cluster.fail_at_random(60, &faults);
        let mut crashes = 0;
        while let Err(error) = world.run() {
            crashes += 1;
            assert!(error.to_string().contains("CRASHED"), "seed {seed}: {error}");
            world.cluster.advance(Duration::from_secs(60));
            if crashes == 50 {
                world.cluster.end_faults();
            }
        }
        world.check();
        all += crashes;
    }
    assert!(all > SEEDS / 10 * 5, "it crashed only {all} times");
}

#[test]
fn a_late_part_that_makes_groups_due_is_set_aside_once_behind_all_of_them() {
    for transactions in 1..=3 {
        let mut world = World::new(3);
        world.write_unfinished(100, first_part);
        world.cluster.advance(TIMEOUT * 2);
        write(&world.cluster, &[(0, outcome(&GroupId::from("in/0/5"), 1))]);
        world.late = 1;
        let deaths = world.run_through_deaths(transactions);
        assert!(deaths > 100 / 7 / transactions, "{deaths} owners died");
        assert!(world.ahead() >= 99, "{} closings went ahead", world.ahead());
        world.check_each_has_one(100);
        assert_eq!(world.cluster.read_committed(&topics().late).len(), 1);
    }
}

/// Groups are open, of each of which this part has come, when the next owner has other rules.
fn taken_over_with(part: fn(&GroupId) -> InboxRecord, change: fn(&mut Rules)) -> World {
    let mut world = World::new(3);
    world.write_unfinished(150, part);
    // Most of what is in the inbox is absorbed by then, and no group is due.
    world.die_after(25);
    world.run().expect_err("it dies");
    world.cluster.end_faults();
    world.cluster.advance(Duration::from_secs(60));
    assert_eq!(world.results().len(), 0, "it died too late");
    change(&mut world.join.rules);
    world.run_through_deaths(2);
    assert!(world.ahead() > 50, "{} closings went ahead", world.ahead());
    world.check_each_has_one(150);
    world
}

#[test]
fn groups_that_new_rules_close_at_a_take_over_leave_one_by_one() {
    let world = taken_over_with(first_part, |rules| rules.when = When::AnyDone);
    assert!(world.results().values().all(|result| result.status == GroupStatus::Complete));
}

#[test]
fn groups_that_new_rules_call_off_at_a_take_over_do_so_once_each() {
    let world = taken_over_with(failed_part, |rules| rules.on_failed = OnFailed::FailFast);
    assert!(world.results().values().all(|result| result.status == GroupStatus::Failed));
    assert_eq!(world.cluster.read_committed(&topics().cancels).len(), 150);
}

/// Answers for one group with more than its topic takes.
struct Bloated;

const RESULT_BYTES_MAX: usize = 10_000;

impl Handler for Bloated {
    type Item = Group;

    async fn handle(&self, group: Group, cx: &Context) -> Result<Outcome, HandlerError> {
        match group.group_id.as_str() {
            "in/0/2" => Ok(Output::bytes(vec![0; RESULT_BYTES_MAX]).into()),
            _ => Concatenate.handle(group, cx).await,
        }
    }
}

#[test]
fn of_groups_that_are_due_at_one_tick_only_the_one_fails_whose_result_is_too_large() {
    let mut world = World::new(4);
    let mut handlers = Handlers::new();
    handlers.add("bloated", Bloated).expect("the first handler");
    world.join = join_with(&handlers);
    world.cluster.limit_messages(&topics().results, RESULT_BYTES_MAX);
    world.write_unfinished(5, first_part);
    world.run().expect("it drains");
    world.check();
    let results = world.results();
    for (group, result) in &results {
        let class = result.error.as_ref().map(|error| &*error.class);
        let found = (result.status, result.payload.as_deref(), class);
        match group.as_str() {
            "in/0/2" => assert_eq!(found, (GroupStatus::Failed, None, Some("refused"))),
            _ => assert_eq!(found, (GroupStatus::Partial, Some(&b"0;"[..]), None), "{group}"),
        }
    }
    for record in world.journal() {
        if let JournalRecord::Closed(closed) = record {
            assert_eq!(closed.status, results[&closed.group_id].status, "{}", closed.group_id);
        }
    }
}
