//! What the tests share: this machine's Kafka, and ways to look at a broker from outside.

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use longshore_local::{Environment, KAFKA_VERSION, OwnedBroker, start_owned};

/// Far above what anything here takes, for a machine that compiles at the same time.
const DEADLINE: Duration = Duration::from_secs(60);

/// Marks a process that a test started from its own executable.
const CHILD_OF_TEST: &str = "LONGSHORE_TEST_CHILD_CACHE";

/// One broker for every test that doesn't stop it. The first use installs Kafka if need be.
pub(crate) fn shared_broker() -> &'static OwnedBroker {
    static BROKER: OnceLock<OwnedBroker> = OnceLock::new();
    BROKER.get_or_init(|| {
        let environment = Environment::from_process().unwrap();
        start_owned(&environment, &mut |step| eprintln!("{step}")).unwrap()
    })
}

/// A cache of its own for a test, with this machine's Kafka.
pub(crate) fn environment(cache: &Path) -> Environment {
    if cache_of_child().is_none() {
        // A child's parent has seen to the install.
        shared_broker();
    }
    let mut environment = Environment::from_process().unwrap();
    let installed = environment.cache_dir.join(format!("kafka-{KAFKA_VERSION}"));
    environment.bootstrap_servers = None;
    environment.kafka_home.get_or_insert(installed);
    environment.cache_dir = cache.to_path_buf();
    environment
}

/// A machine with nothing on it but a shell.
pub(crate) fn bare_environment(cache: &Path) -> Environment {
    Environment {
        bootstrap_servers: None,
        kafka_home: None,
        java_home: None,
        path: "/nowhere".into(),
        cache_dir: cache.to_path_buf(),
    }
}

/// Runs one test again, alone, in a process of its own that has the given cache.
pub(crate) fn spawn_this_test(name: &str, cache: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env(CHILD_OF_TEST, cache).stdout(Stdio::piped());
    command
}

/// The cache of the process that `spawn_this_test` started; nothing in the test's own process.
pub(crate) fn cache_of_child() -> Option<PathBuf> {
    std::env::var_os(CHILD_OF_TEST).map(PathBuf::from)
}

/// Adds the arguments, runs a tool of Kafka's, and gives back what it printed.
pub(crate) fn run_tool(mut tool: Command, arguments: &[&str]) -> String {
    let output = tool.args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn create_topic(tool: Command, bootstrap_servers: &str, topic: &str) {
    let server = ["--bootstrap-server", bootstrap_servers];
    let topic = ["--create", "--topic", topic, "--partitions", "1"];
    run_tool(tool, &[&server[..], &topic[..]].concat());
}

pub(crate) fn topics(tool: Command, bootstrap_servers: &str) -> String {
    run_tool(tool, &["--bootstrap-server", bootstrap_servers, "--list"])
}

pub(crate) fn is_reachable(bootstrap_servers: &str) -> bool {
    TcpStream::connect(bootstrap_servers).is_ok()
}

pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes one record to the topic, acknowledged by the broker.
pub(crate) fn produce(mut tool: Command, bootstrap_servers: &str, topic: &str, value: &str) {
    tool.args(["--bootstrap-server", bootstrap_servers, "--topic", topic]);
    let mut tool = tool.stdin(Stdio::piped()).spawn().unwrap();
    writeln!(tool.stdin.take().unwrap(), "{value}").unwrap();
    assert!(tool.wait().unwrap().success());
}

/// The topic's first record.
pub(crate) fn first_record(tool: Command, bootstrap_servers: &str, topic: &str) -> String {
    let from = ["--bootstrap-server", bootstrap_servers, "--topic", topic, "--from-beginning"];
    let bounds = ["--max-messages", "1", "--timeout-ms", "30000"];
    run_tool(tool, &[&from[..], &bounds[..]].concat())
}

/// The names in a folder, in order.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
