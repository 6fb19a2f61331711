//! What keeps a join's replay short and its memory small, while it crashes at every call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;

/// Large enough to be worth a place in the spill file.
const PAYLOAD_BYTES: usize = 2_000;
/// Groups of each partition that stay open while others come and go.
const OLD: u32 = 3;
const YOUNG: u32 = 80;
/// Several groups are ready: however busy the machine is, a second one begins in this time.
const COMPANY_WITHIN: Duration = Duration::from_secs(30);

/// Waits until it is released.
struct Held(Arc<AtomicBool>);

impl Handler for Held {
    type Item = Group;

    async fn handle(&self, group: Group, cx: &Context) -> Result<Outcome, HandlerError> {
        while !self.0.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        Concatenate.handle(group, cx).await
    }
}

fn large(group: &GroupId, part: u32) -> InboxRecord {
    match outcome(group, part) {
        InboxRecord::Outcome(outcome) => InboxRecord::Outcome(PartOutcome {
            payload: Some(vec![b'a' + (part % 26) as u8; PAYLOAD_BYTES].into()),
            ..outcome
        }),
        other => other,
    }
}

impl World {
    fn open(&mut self, number: u32, missing: &[u32]) -> (GroupId, (u32, InboxRecord)) {
        let group = GroupId::from(format!("in/0/{number}"));
        self.missing.insert(group.clone(), missing.iter().copied().collect());
        (group.clone(), (number, opening(&group)))
    }

    /// Old groups get a part or two, then many others open and close, and then the old ones get the
    /// rest, some of it twice; of some a part never comes.
    fn write_old_groups(&mut self, of: impl Fn(&GroupId, u32) -> InboxRecord) {
        let (mut records, mut last) = (Vec::new(), Vec::new());
        for number in 0..2 * OLD {
            let missing = self.rng.random_bool(0.3).then_some(2);
            let (group, opening) = self.open(number, missing.as_slice());
            records.push(opening);
            records.push((number, of(&group, 0)));
            last.extend((1..PARTS).filter(|part| missing != Some(*part)).flat_map(|part| {
                let copies = 1 + usize::from(part == 1);
                vec![(number, of(&group, part)); copies]
            }));
        }
        for number in 2 * OLD..2 * (OLD + YOUNG) {
            let (group, opening) = self.open(number, &[]);
            records.push(opening);
            records.extend((0..PARTS).map(|part| (number, of(&group, part))));
        }
        last.shuffle(&mut self.rng);
        records.extend(last);
        records.chunks(10).for_each(|chunk| write(&self.cluster, chunk));
    }

    /// Runs through crashes until every group has its result; gives how many there were.
    fn run_through_crashes(&mut self, seed: u64) -> u64 {
        let calls = [Call::Begin, Call::Produce, Call::SendProgress, Call::Commit, Call::Poll];
        let faults: Vec<_> = calls.iter().map(|call| (*call, Fault::Crash)).collect();
        self.cluster.fail_at_random(400, &faults);
        let mut crashes = 0;
        while let Err(error) = self.run() {
            crashes += 1;
            assert!(error.to_string().contains("CRASHED"), "seed {seed}: {error}");
            self.cluster.advance(Duration::from_secs(60));
            if crashes == 20 {
                self.cluster.fail_at_random(400, &[]);
            }
        }
        crashes
    }

    fn carried(&self) -> usize {
        self.journal().filter(|record| matches!(record, JournalRecord::Carried(_))).count()
    }
}

#[test]
fn old_groups_are_carried_and_a_crash_anywhere_still_changes_nothing() {
    let (mut crashes, mut carried) = (0, 0);
    for seed in 0..SEEDS / 2 {
        let mut world = World::new(seed);
        world.join.rules.replay_max = 60;
        world.write_old_groups(outcome);
        crashes += world.run_through_crashes(seed);
        world.check();
        carried += world.carried();
    }
    assert!(crashes > SEEDS / 2, "it crashed only {crashes} times");
    assert!(carried as u64 > SEEDS, "only {carried} groups were carried");
}

#[test]
fn large_payloads_are_carried_and_spilled_and_a_crash_anywhere_still_changes_nothing() {
    let mut carried = 0;
    for seed in 0..SEEDS / 3 {
        let mut world = World::new(seed);
        // The old groups alone take more than half of it.
        world.join.rules.open_bytes_max = 10 * PAYLOAD_BYTES;
        world.join.rules.spill_bytes_max = 1 << 20;
        world.join.rules.replay_max = 60;
        world.write_old_groups(large);
        world.run_through_crashes(seed);
        world.check();
        carried += world.carried();
    }
    assert!(carried as u64 > SEEDS, "only {carried} groups were carried");
}

#[test]
fn what_has_no_room_in_memory_goes_to_the_file_and_comes_back_as_it_was() {
    let mut world = World::new(1);
    // Of 120,000 bytes of payloads.
    world.join.rules.open_bytes_max = 20 * PAYLOAD_BYTES;
    world.join.rules.spill_bytes_max = 1 << 20;
    let mut records = Vec::new();
    let groups: Vec<_> = (0..GROUPS).map(|number| world.open(number, &[])).collect();
    records.extend(groups.iter().map(|(_, opening)| opening.clone()));
    for part in 0..PARTS {
        records.extend((0..).zip(&groups).map(|(number, (group, _))| (number, large(group, part))));
    }
    records.chunks(10).for_each(|chunk| write(&world.cluster, chunk));
    world.run().expect("it drains");
    world.check();
    let codec = Codec::<GroupResult>::shared().expect("a schema");
    let whole = ["a", "b", "c"].map(|part| part.repeat(PAYLOAD_BYTES)).concat();
    for record in world.cluster.read_committed(&topics().results) {
        let result = codec.decode(&record.value.expect("a value")).expect("a result");
        assert_eq!(result.payload.as_deref(), Some(whole.as_bytes()));
    }
}

/// An inbox record, and the number of its group.
type Numbered = (u32, InboxRecord);

/// Two groups, one after the other, each of more than half of what there is room for.
fn crowded(seed: u64) -> (World, [Numbered; 4], [Numbered; 4]) {
    let mut world = World::new(seed);
    world.join.rules.open_bytes_max = 5 * PAYLOAD_BYTES;
    let mut records = |number| {
        let (group, opening) = world.open(number, &[]);
        [
            opening,
            (number, large(&group, 0)),
            (number, large(&group, 1)),
            (number, large(&group, 2)),
        ]
    };
    let (first, second) = (records(0), records(2));
    (world, first, second)
}

#[test]
fn while_a_gather_is_at_work_there_may_yet_be_room() {
    let (mut world, first, second) = crowded(1);
    let mut handlers = Handlers::new();
    handlers.add("held", Held(Arc::clone(&world.released))).expect("the first handler");
    let rules = world.join.rules.clone();
    world.join = JoinConfig { rules, ..join_with(&handlers) };
    write(&world.cluster, &first);
    write(&world.cluster, &second);
    world.run().expect("it drains");
    world.check();
}

/// Notes how many are at work at once, at most. Whoever is alone waits until two have been.
#[derive(Clone, Default)]
struct Counting {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Handler for Counting {
    type Item = Group;

    async fn handle(&self, group: Group, cx: &Context) -> Result<Outcome, HandlerError> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        let since = Instant::now();
        while self.most.load(Ordering::Relaxed) < 2 && since.elapsed() < COMPANY_WITHIN {
            tokio::task::yield_now().await;
        }
        // Room for a third to come, if one were let in.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.now.fetch_sub(1, Ordering::Relaxed);
        Concatenate.handle(group, cx).await
    }
}

#[test]
fn no_more_groups_are_gathered_at_once_than_the_concurrency_allows() {
    let mut world = World::new(6);
    let counting = Counting::default();
    let mut handlers = Handlers::new();
    handlers.add("counting", counting.clone()).expect("the first handler");
    world.join = JoinConfig { concurrency: 2, ..join_with(&handlers) };
    world.write_groups();
    world.run().expect("it drains");
    world.check();
    assert_eq!(counting.most.load(Ordering::Relaxed), 2);
}

#[test]
fn a_deadline_that_has_come_gives_room_to_the_record_that_brings_it() {
    let (mut world, first, second) = crowded(2);
    // Two parts and one group, but not two groups.
    world.join.rules.open_bytes_max = 4_900;
    write(&world.cluster, &first[..3]);
    world.missing.insert(GroupId::from("in/0/0"), [2].into());
    world.cluster.advance(TIMEOUT * 2);
    write(&world.cluster, &second[..2]);
    world.missing.insert(GroupId::from("in/0/2"), [1, 2].into());
    world.run().expect("it drains");
    world.check();
}

#[test]
fn without_any_gather_at_work_there_never_will_be_room_and_the_join_stops() {
    let (mut world, first, second) = crowded(3);
    write(&world.cluster, &first[..3]);
    write(&world.cluster, &second);
    let error = world.run().expect_err("both groups are open").to_string();
    assert!(error.contains("`open_bytes_max` (10000 bytes)"), "{error}");
    assert!(error.contains("`spill_bytes_max` (0 bytes)"), "{error}");
    // A file that holds the rest lets it go on, and so would more memory.
    world.join.rules.spill_bytes_max = 4 * PAYLOAD_BYTES;
    write(&world.cluster, &first[3..]);
    world.run().expect("it drains");
    world.check();
}
