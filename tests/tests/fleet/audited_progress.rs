//! Progress that somebody writes while an audit looks at it.

use longshore::Exit;
use longshore_kafka::admin::Stability;
use longshore_kafka::lane::broker::{Committed, Sent};
use longshore_kafka::lane::progress::{FinishedMap, Metadata};
use longshore_kafka::{Offset, Partition};
use longshore_tests::{Cluster, Fleet, Shape};

use crate::audit_at_hand::AuditAtHand;
use crate::echoes;
use crate::offsets_deleted::delete_offsets;
use crate::strangers::{copy, hold, stranger};

const ITEMS: i64 = 10;

/// A stage that has done all its items, in one partition; nobody is at work.
struct Done {
    fleet: Fleet,
    /// What it has committed in the end.
    progress: Metadata,
}

impl Done {
    fn new() -> Self {
        let fleet = Fleet::new(Cluster::shared(), Shape::Stage { partitions: 1 });
        fleet.publish(echoes(0..ITEMS));
        let worker = fleet.worker();
        fleet.until_ended(ITEMS as usize);
        worker.stop();
        let committed = fleet.progress().read(&fleet.items(), Stability::Stable).expect("read");
        let committed = committed[0].1.clone().expect("it has committed");
        let progress = Metadata::parse(&committed.metadata, committed.offset);
        let progress = progress.expect("it can be read").expect("it is Longshore's");
        assert!(progress.base.0 >= ITEMS && progress.finished == FinishedMap::default());
        Self { fleet, progress }
    }

    /// Commits as any client of Kafka may, if the group has no members.
    fn commit(&self, committed: Committed) {
        let sent = Sent { partition: Partition(0), committed };
        self.fleet.progress().write(&self.fleet.items(), &[sent]).expect("written");
    }

    /// The same with what a lane of Longshore keeps beside its position.
    fn commit_ours(&self, metadata: &Metadata) {
        let Metadata { base: offset, .. } = *metadata;
        self.commit(Committed { offset, metadata: metadata.to_string() });
    }

    /// The progress that it has, but for this.
    fn but(&self, change: impl FnOnce(&mut Metadata)) -> Metadata {
        let mut metadata = self.progress.clone();
        change(&mut metadata);
        metadata
    }

    /// Audits, and does the one thing between its first look at the progress and the second, the
    /// other between that and the third.
    fn audit_while(
        &self,
        first: impl FnOnce(),
        then: impl FnOnce(),
    ) -> (Exit, Vec<(String, String)>) {
        let (items, done) = (self.fleet.items(), self.fleet.done());
        let [item, output] = [&items, &done].map(|it| copy(&self.fleet.records(it)[0]));
        let mut strangers = ["items", "done"].map(|it| stranger(&self.fleet, it));
        let [of_items, of_done] = &mut strangers;
        let (held_items, held_done) = (hold(of_items, &item), hold(of_done, &output));
        let audit = AuditAtHand::of(&self.fleet);
        audit.until_it_waits_for(&items);
        first();
        drop(held_items);
        audit.until_it_waits_for(&done);
        then();
        drop(held_done);
        audit.ends()
    }

    /// An audit meanwhile names this first, and each of these items, of which there are records, as
    /// not finished; nothing else.
    fn at_fault(
        &self,
        (exit, faults): (Exit, Vec<(String, String)>),
        (breaks, position, wrong): (&str, i64, &str),
        unfinished: std::ops::Range<i64>,
    ) {
        let (group, items) = (format!("{}.work", self.fleet.name()), self.fleet.items());
        let told = format!("group {group} at {items}/0/{position}: {wrong}");
        assert_eq!(exit, Exit::Failed);
        assert_eq!(faults[0], (breaks.to_owned(), told));
        assert_eq!(faults.len() as i64, 1 + unfinished.end - unfinished.start, "{faults:?}");
        for (item, (breaks, told)) in unfinished.zip(&faults[1..]) {
            let has_records = format!("{items}/0/{item} has records of work that can be read, ");
            let is_it = told.starts_with(&has_records)
                && told.ends_with(" among them, and isn't finished in its progress");
            assert!(breaks == "EO-1" && is_it, "{breaks}: {told}");
        }
    }
}

#[test]
fn a_position_that_goes_back_while_an_audit_looks_is_named() {
    let done = Done::new();
    let end = done.progress.base.0;
    // As a reset of the group's offsets does.
    let back = || done.commit(Committed { offset: Offset(7), metadata: String::new() });
    let wrong = format!("its position went back, from {end}");
    let found = done.audit_while(back, || {});
    done.at_fault(found, ("EO-5", 7, &wrong), 7..ITEMS);

    // It is put right again while the audit goes on.
    done.commit_ours(&done.progress);
    let found = done.audit_while(back, || done.commit_ours(&done.progress));
    done.at_fault(found, ("EO-5", 7, &wrong), 0..0);
    done.fleet.audit_is_clean();
}

#[test]
fn a_map_that_loses_an_offset_while_an_audit_looks_is_named() {
    let done = Done::new();
    let mut ahead = FinishedMap::default();
    ahead.push(Offset(9), Offset(10));
    done.commit_ours(&done.but(|it| (it.base, it.finished) = (Offset(8), ahead)));
    let forgets = || done.commit_ours(&done.but(|it| (it.base, it.seq) = (Offset(9), it.seq + 1)));
    let found = done.audit_while(forgets, || {});
    let wrong = "9 was finished ahead of the position, and isn't any more";
    done.at_fault(found, ("EO-5", 9, wrong), 9..ITEMS);
}

#[test]
fn progress_that_is_deleted_while_an_audit_looks_is_named() {
    let done = Done::new();
    let found = done.audit_while(
        || {
            let said = delete_offsets(&done.fleet);
            assert!(said.contains("Successful"), "{said}");
        },
        || {},
    );
    done.at_fault(found, ("EO-5", 0, "it had progress here, and has none any more"), 0..0);
}

/// Both are of two owners of a generation: neither knows of the other.
#[test]
fn an_owner_that_commits_after_another_one_while_an_audit_looks_is_named() {
    let done = Done::new();
    let (owner, end) = (done.progress.owner.clone(), done.progress.base.0);
    let other = || done.commit_ours(&done.but(|it| (it.owner, it.seq) = ("other".into(), 1)));
    let again = || done.commit_ours(&done.but(|it| it.seq += 1));
    let found = done.audit_while(other, again);
    let wrong = format!("owner {owner} committed again after another one had");
    done.at_fault(found, ("EO-7", end, &wrong), 0..0);
}

/// As a request that arrives late does.
#[test]
fn a_commit_that_is_replaced_by_an_earlier_one_of_its_owner_is_named() {
    let done = Done::new();
    let (owner, end) = (done.progress.owner.clone(), done.progress.base.0);
    done.commit_ours(&done.but(|it| it.seq = 7));
    let found = done.audit_while(|| done.commit_ours(&done.but(|it| it.seq = 6)), || {});
    let wrong = format!("commit 7 of owner {owner} was replaced by another one of its own");
    done.at_fault(found, ("EO-7", end, &wrong), 0..0);
}

/// A limit of what audits can tell, not a promise.
#[test]
fn what_is_put_right_again_before_the_next_look_is_not_seen() {
    let done = Done::new();
    let unseen = || {
        done.commit(Committed { offset: Offset(7), metadata: String::new() });
        done.commit_ours(&done.but(|it| (it.owner, it.seq) = ("other".into(), 1)));
        done.commit_ours(&done.progress);
    };
    assert_eq!(done.audit_while(unseen, || {}), (Exit::Done, vec![]));
}
