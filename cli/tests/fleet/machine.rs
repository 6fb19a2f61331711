//! A Kafka that the tests share, a pipeline of each test's own, and the binary.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use longshore_kafka::admin::{Admin, Isolation};
use longshore_kafka::reader::Reader;
use longshore_kafka::{Record, Settings};
use longshore_local::{Cluster, Environment, find_or_start};
use tempfile::TempDir;

/// How long anything here may take, on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for the shared Kafka.
fn kafka() -> Settings {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| {
        let environment = Environment::from_process().expect("the environment is sound");
        find_or_start(&environment, &mut |_| {}).expect("a Kafka")
    });
    Settings::new(cluster.bootstrap_servers())
}

/// The orders pipeline under a name of its own, on the shared Kafka.
pub(crate) struct Orders {
    name: String,
    folder: TempDir,
}

impl Orders {
    /// None of its topics exist yet.
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let folder = tempfile::tempdir().expect("a folder");
        let text = longshore_orders::PIPELINE
            .replace("pipeline: orders", &format!("pipeline: {name}"))
            .replace("{topic: orders", &format!("{{topic: {name}"))
            .replace("{topic: settled", &format!("{{topic: {name}.settled"));
        std::fs::write(folder.path().join("orders.yaml"), text).expect("written");
        Self { name, folder }
    }

    /// A topic of it.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }

    /// An administrator of the Kafka.
    pub(crate) fn admin(&self) -> Admin {
        Admin::connect(&kafka()).expect("connected")
    }

    /// Writes a file beside the pipeline's.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command
            .args(arguments)
            .args(["--bootstrap-server", &kafka().bootstrap_servers])
            .args(["--pipeline", "orders.yaml", "--admin", "127.0.0.1:0", "--logs", "human"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A command, from start to end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().expect("started"))
    }

    /// A command that runs until it is stopped.
    ///
    /// What it says goes to files: a pipe that nobody reads would fill, and stop it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let (answer, complaint) = (tempfile::tempfile(), tempfile::tempfile());
        let (answer, complaint) = (answer.expect("a file"), complaint.expect("a file"));
        let process = self
            .command(arguments)
            .stdout(answer.try_clone().expect("a file"))
            .stderr(complaint.try_clone().expect("a file"))
            .spawn()
            .expect("started");
        Running { process, answer, complaint }
    }

    /// The committed records of a topic of it.
    pub(crate) fn committed(&self, topic: &str) -> Vec<Record> {
        let topic = self.topic(topic).as_str().into();
        let mut reader = Reader::open(&kafka(), &topic, Isolation::Committed).expect("opened");
        let read = reader.read_all(PATIENCE).expect("reading");
        read.collect::<Result<_, _>>().expect("read")
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) answer: String,
    pub(crate) complaint: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            answer: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command at work; killed when the test is over.
pub(crate) struct Running {
    process: Child,
    answer: File,
    complaint: File,
}

impl Running {
    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(self) -> Said {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(sent.success(), "the process has ended by itself");
        self.ended()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(mut self) -> Said {
        until("the process ends", || self.process.try_wait().expect("waited").is_some());
        Said {
            code: self.process.wait().expect("waited").code(),
            answer: whole(&mut self.answer),
            complaint: whole(&mut self.complaint),
        }
    }
}

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "what the process said belongs to the test's failure")]
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}{}", whole(&mut self.answer), whole(&mut self.complaint));
        }
    }
}

fn whole(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().expect("rewound");
    file.read_to_string(&mut text).expect("read");
    text
}

/// Waits for a condition.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
