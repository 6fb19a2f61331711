//! A coordinator is killed -9 while payloads of its open groups are in its spill files.

use std::fs;
use std::path::Path;

use longshore_tests::{Cluster, Fleet, Job, Process, Shape, until};

use crate::echoes;

/// Groups of two large parts and a small one, which is held: of every other one by another gate.
const GROUPS: i64 = 60;
/// Bytes of a large part.
const LARGE: usize = 100_000;
/// What the groups of one gate must at least have in the files: all that is large, but for what
/// the two partitions may keep in memory.
const SPILLED: u64 = GROUPS as u64 * LARGE as u64 - (2 << 20);

#[test]
fn payloads_that_were_spilled_when_the_coordinator_was_killed_come_once_and_unchanged() {
    let fleet = Fleet::new(Cluster::shared(), Shape::Join);
    let gather = "gather: gather";
    fleet.rewrite(|text| text.replace(gather, &format!("{gather}, open_bytes_max: 1MiB")));
    let gates = [fleet.file("gate-0"), fleet.file("gate-1")];
    let jobs: Vec<_> = echoes(0..GROUPS).map(|job| large(job, &gates)).collect();
    fleet.publish(jobs.iter().cloned());
    let (worker, folder) = (fleet.worker(), fleet.file("spills"));
    fs::create_dir(&folder).expect("a folder");

    let first = fleet.coordinator_spilling_to(&folder, "one");
    until_spilled(&first, 2 * SPILLED);
    assert_eq!(names(&folder), [""; 0], "what is spilled has a name");
    let left = leave(&first, &folder);
    first.crash();
    assert_eq!((fleet.ledger().ended(), names(&folder)), (0, left.clone()));

    let second = fleet.coordinator_spilling_to(&folder, "another");
    until_spilled(&second, 2 * SPILLED);
    fs::write(&gates[0], "").expect("the gate opens");
    fleet.until_ended(GROUPS as usize / 2);
    until_spilled(&second, SPILLED);
    second.crash();

    let third = fleet.coordinator_spilling_to(&folder, "another");
    until_spilled(&third, SPILLED);
    assert!(third.counter("longshore_replayed_records_total", &[]) >= GROUPS as u64);
    fs::write(&gates[1], "").expect("the gate opens");
    fleet.until_ended(GROUPS as usize);
    third.stop();
    worker.stop();
    let ledger = fleet.ledger();
    ledger.each_once(GROUPS);
    let mut outcomes = ledger.outcomes().to_vec();
    outcomes.sort_by_key(|it| it.number);
    assert_eq!(outcomes, jobs.iter().map(Job::whole).collect::<Vec<_>>());
    assert_eq!(names(&folder), left);
    fleet.audit_is_clean();
}

/// The job with a text of its own in each of its large parts.
fn large(job: Job, gates: &[std::path::PathBuf; 2]) -> Job {
    let (number, gate) = (job.number, &gates[usize::from(job.number % 2 == 1)]);
    let text = format!("{number:020}").repeat(LARGE / 20);
    job.doing(&format!("hold-last {} {text}", gate.display()))
}

/// Waits until so many bytes are in the spill files of a process, and not twice as many.
fn until_spilled(coordinator: &Process, bytes: u64) {
    until("payloads are spilled", || {
        let spilled = coordinator.counter("longshore_spilled_bytes", &[]);
        (bytes..2 * bytes).contains(&spilled).then_some(())
    });
}

/// Leaves what is in the files of a process under names, as a system without nameless files might:
/// the names.
fn leave(coordinator: &Process, folder: &Path) -> Vec<String> {
    let files = coordinator.open_files(folder);
    assert_eq!(files.len(), 2, "one for each partition: {files:?}");
    for (name, file) in [".tmpAAAAAA", ".tmpBBBBBB"].into_iter().zip(files) {
        assert!(fs::copy(file, folder.join(name)).expect("it can be read") >= SPILLED / 2);
    }
    names(folder)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
