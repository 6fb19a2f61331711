//! A fleet under test: a pipeline of its own, and processes that come and go.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, process};

use longshore_kafka::admin::{Admin, GroupProgress, Isolation};
use longshore_kafka::{Partition, Record, Settings};
use longshore_schemas::records::GroupResult;
use longshore_schemas::{Codec, Timestamp, TopicName};
use tempfile::TempDir;

use crate::crash::Phase;
use crate::{Cluster, Job, Ledger, Process, Shape, WrongClock, ledger, until};

/// A pipeline on a Kafka, its topics made.
pub struct Fleet {
    cluster: &'static Cluster,
    name: String,
    shape: Shape,
    folder: TempDir,
    started: AtomicU32,
}

impl Fleet {
    /// A pipeline under a name that no other has.
    pub fn new(cluster: &'static Cluster, shape: Shape) -> Self {
        let fleet = Self::without_topics(cluster, shape);
        fleet.succeeds(&["apply"]);
        fleet
    }

    /// The same, and nothing of it is on the Kafka yet.
    pub fn without_topics(cluster: &'static Cluster, shape: Shape) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("p{}-{}-{next}", Timestamp::now().0, process::id());
        let folder = tempfile::tempdir().expect("a folder");
        let fleet = Self { cluster, name, shape, folder, started: AtomicU32::new(0) };
        fs::write(fleet.file("pipeline.yaml"), shape.file(&fleet.name)).expect("a pipeline file");
        fleet
    }

    /// The pipeline's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pipeline's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What its outputs come from: its stage, or its join.
    pub fn last_step(&self) -> &'static str {
        match self.shape {
            Shape::Stage { .. } => "work",
            Shape::Join => "all",
        }
    }

    /// How the tests reach its Kafka.
    pub fn settings(&self) -> Settings {
        Settings::new(self.cluster.servers())
    }

    /// A file in the fleet's own folder; it isn't there until somebody writes it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the pipeline file.
    pub fn rewrite(&self, change: impl FnOnce(String) -> String) {
        let text = change(self.shape.file(&self.name));
        fs::write(self.file("pipeline.yaml"), text).expect("a pipeline file");
    }

    // ----- verbs

    /// Publishes these items, each once.
    pub fn publish(&self, jobs: impl IntoIterator<Item = Job>) {
        let (code, said) = self.producer(&self.lines(jobs)).ends();
        assert_eq!(code, 0, "{said}");
    }

    /// A new file of these items, one on each line.
    pub fn lines(&self, jobs: impl IntoIterator<Item = Job>) -> PathBuf {
        let file = self.file(&format!("items-{}.jsonl", self.next()));
        let line = |job: Job| serde_json::to_string(&job).expect("a job is JSON") + "\n";
        fs::write(&file, jobs.into_iter().map(line).collect::<String>()).expect("a file of items");
        file
    }

    /// Starts a process that publishes a file, from where an earlier one was.
    pub fn producer(&self, file: &Path) -> Process {
        let path = file.to_str().expect("a path in UTF-8");
        self.process(&["produce", path, "--source-id", path])
    }

    /// Starts a process that runs every stage.
    pub fn worker(&self) -> Process {
        self.through_proxy(&["work"])
    }

    /// The same in a slot, which it takes on from the one who had it.
    pub fn worker_in(&self, slot: &str) -> Process {
        self.through_proxy(&["work", "--slot", slot])
    }

    /// The same without a slot, whose place in its group outlives a silence of this long.
    pub fn worker_with_session(&self, session: Duration) -> Process {
        let session = format!("{}s", session.as_secs());
        self.through_proxy(&["work", "--session-timeout", &session])
    }

    /// Starts a process that runs what the outputs come from: every stage, or every join.
    pub fn runs_last_step(&self, options: &[&str]) -> Process {
        let command = match self.shape {
            Shape::Stage { .. } => "work",
            Shape::Join => "coordinate",
        };
        self.through_proxy(&[&[command], options].concat())
    }

    /// Starts a process that runs every join, in a slot.
    pub fn coordinator_in(&self, slot: &str) -> Process {
        self.through_proxy(&["coordinate", "--slot", slot])
    }

    /// The same by a wall clock of its own.
    pub fn coordinator_by(&self, clock: &WrongClock) -> Process {
        self.coordinator_with("coordinator", &clock.environment())
    }

    /// The same as [`Fleet::coordinator_in`], with its temporary files in this folder.
    pub fn coordinator_spilling_to(&self, folder: &Path, slot: &str) -> Process {
        self.coordinator_with(slot, &[("TMPDIR", folder.to_owned())])
    }

    fn coordinator_with(&self, slot: &str, environment: &[(&str, PathBuf)]) -> Process {
        let pipeline = self.file("pipeline.yaml");
        let command = ["coordinate", "--slot", slot];
        let (name, arguments) = self.arguments(self.cluster.servers(), &pipeline, &command);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Process::start_with(self.folder.path(), &name, &arguments, environment)
    }

    /// Starts a worker that is killed in this phase of a transaction.
    pub fn worker_that_dies(&self, phase: Phase, slot: &str) -> Process {
        let name = format!("{}-dies-{}", self.next(), phase.name());
        let arguments = ["crash-at", phase.name(), self.cluster.servers(), &self.name, slot];
        Process::start(self.folder.path(), &name, &arguments)
    }

    /// The same as [`Fleet::producer`], through the proxy.
    pub fn producer_through_proxy(&self, file: &Path) -> Process {
        let path = file.to_str().expect("a path in UTF-8");
        self.through_proxy(&["produce", path, "--source-id", path])
    }

    fn through_proxy(&self, command: &[&str]) -> Process {
        let servers = self.cluster.servers_of_workers();
        self.process_at(&servers, &self.file("pipeline.yaml"), command)
    }

    /// Starts any command on this pipeline.
    pub fn process(&self, command: &[&str]) -> Process {
        let pipeline = self.file("pipeline.yaml");
        self.process_at(self.cluster.servers(), &pipeline, command)
    }

    /// The same on another Kafka, or with another pipeline file.
    pub fn process_at(&self, servers: &str, pipeline: &Path, command: &[&str]) -> Process {
        let (name, arguments) = self.arguments(servers, pipeline, command);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Process::start(self.folder.path(), &name, &arguments)
    }

    /// A name for a process of this command, and its whole command line.
    fn arguments(&self, servers: &str, pipeline: &Path, command: &[&str]) -> (String, Vec<String>) {
        let name = format!("{}-{}", self.next(), command[0]);
        let pipeline = pipeline.to_str().expect("a path in UTF-8");
        let mut arguments = command.to_vec();
        arguments.extend(["-b", servers, "-p", pipeline, "--logs", "json"]);
        arguments.extend(["--admin", "127.0.0.1:0"]);
        arguments.extend(["--transaction-timeout", "5s"]);
        if !command.contains(&"--session-timeout") {
            arguments.extend(["--session-timeout", "6s"]);
        }
        (name, arguments.into_iter().map(str::to_owned).collect())
    }

    /// Runs a command that must succeed: what it said.
    pub fn succeeds(&self, command: &[&str]) -> String {
        let (code, said) = self.process(command).ends();
        assert_eq!(code, 0, "{command:?}:\n{said}");
        said
    }

    /// Waits until so many items have ended.
    pub fn until_ended(&self, count: usize) {
        until(&format!("{count} items of {} have ended", self.name), || {
            (self.ledger().ended() >= count).then_some(())
        });
    }

    /// Waits until the group of a stage or join has so many members.
    pub fn until_members(&self, stage: &str, count: usize) {
        let group = format!("{}.{stage}", self.name);
        until(&format!("{group} has {count} members"), || {
            let found = self.admin().group(&group).expect("the group can be described")?;
            (found.state == "Stable" && found.members.len() == count).then_some(())
        });
    }

    // ----- looks

    /// What stands in its topics now.
    pub fn ledger(&self) -> Ledger {
        Ledger::read(&self.settings(), &self.name, self.shape)
    }

    /// The results of its join.
    pub fn results(&self) -> Vec<GroupResult> {
        let codec = Codec::<GroupResult>::shared().expect("a schema");
        let records = ledger::records(&self.settings(), &self.done(), Isolation::Committed);
        let values = records.into_iter().map(|it| it.value.expect("a result has a value"));
        values.map(|it| codec.decode(&it).expect("a result")).collect()
    }

    /// The items that a reader of this isolation finds, in the order of each partition.
    pub fn published(&self, isolation: Isolation) -> Vec<(Partition, Job)> {
        ledger::items(&self.settings(), &self.items(), isolation)
    }

    /// How many outputs there are for a reader of this isolation.
    pub fn outputs(&self, isolation: Isolation) -> usize {
        ledger::records(&self.settings(), &self.done(), isolation).len()
    }

    /// The records of one of its topics that a committed reader finds.
    pub fn records(&self, topic: &TopicName) -> Vec<Record> {
        ledger::records(&self.settings(), topic, Isolation::Committed)
    }

    /// How many outputs Kafka's own console consumer sees, which shares no code with Longshore.
    pub fn outputs_by_witness(&self) -> usize {
        let mut witness = self.cluster.tool("org.apache.kafka.tools.consumer.ConsoleConsumer");
        witness.args(["--topic", self.done().as_str(), "--from-beginning"]);
        witness.args(["--isolation-level", "read_committed", "--timeout-ms", "5000"]);
        let output = witness.output().expect("Kafka's tool runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said.lines().find_map(|line| {
            line.strip_prefix("Processed a total of ")?.split(' ').next()?.parse().ok()
        });
        count.unwrap_or_else(|| panic!("the witness says no count:\n{said}"))
    }

    /// Whether a transaction of it is open of which nobody has asked an end, as Kafka's own tool
    /// says: an open one, seen in a log, may have been decided already.
    pub fn is_in_a_transaction(&self) -> bool {
        self.has_transaction("Ongoing")
    }

    /// Waits until every transaction of it that was decided has its markers.
    pub fn until_markers_are_written(&self) {
        until(&format!("the markers of {} are written", self.name), || {
            (!self.has_transaction("Prepare")).then_some(())
        });
    }

    /// Whether one of its transactions is in a state of which the name has these words.
    fn has_transaction(&self, state: &str) -> bool {
        let mut witness = self.cluster.tool("org.apache.kafka.tools.TransactionsCommand");
        let output = witness.arg("list").output().expect("Kafka's tool runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("TransactionState"), "the witness lists nothing:\n{said}");
        said.lines().any(|line| line.contains(&self.name) && line.contains(state))
    }

    /// Longshore's own audit finds nothing.
    pub fn audit_is_clean(&self) {
        self.succeeds(&["audit"]);
    }

    /// The administration of its Kafka.
    pub fn admin(&self) -> Admin {
        Admin::connect(&self.settings()).expect("the Kafka answers")
    }

    /// The progress of its stage.
    pub fn progress(&self) -> GroupProgress {
        let group = format!("{}.work", self.name);
        GroupProgress::open(&self.settings(), &group).expect("the Kafka answers")
    }

    /// The topic of its items.
    pub fn items(&self) -> TopicName {
        format!("{}-items", self.name).into()
    }

    /// The topic of its outputs.
    pub fn done(&self) -> TopicName {
        format!("{}-done", self.name).into()
    }

    fn next(&self) -> u32 {
        self.started.fetch_add(1, Ordering::Relaxed)
    }
}
