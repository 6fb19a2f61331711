//! A process's telemetry from outside: real HTTP, real signals.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use longshore_telemetry::{
    LogFormat, Readiness, Shutdown, StartError, Telemetry, TelemetrySettings,
};

/// No answer or exit takes longer than this unless something is broken.
const DEADLINE: Duration = Duration::from_secs(20);

/// What came back over HTTP.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn get(address: SocketAddr, path: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || get_blocking(address, path)).await.unwrap()
}

fn get_blocking(address: SocketAddr, path: &str) -> Answer {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

fn settings(admin: SocketAddr) -> TelemetrySettings {
    TelemetrySettings { logs: LogFormat::Json, admin }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// One test, in this order, since a process has one telemetry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_server_shows_a_process_from_its_start_to_its_end() {
    let telemetry =
        Telemetry::start(settings(any_port()), |_| {}, Shutdown::manual()).await.unwrap();
    let admin = telemetry.admin();
    assert_ne!(admin.port(), 0);

    let again =
        Telemetry::start(settings(any_port()), |_| {}, Shutdown::manual()).await.unwrap_err();
    assert!(matches!(again, StartError::Logs(_)), "{again}");

    assert_eq!(get(admin, "/livez").await.status, 200);
    let starting = get(admin, "/readyz").await;
    assert_eq!(starting.status, 503);
    assert!(starting.body.contains("[-]components failed: none is running"), "{}", starting.body);

    let lane = telemetry.health().register("price", Duration::from_secs(3600));
    lane.set(Readiness::Ready);
    let ready = get(admin, "/readyz").await;
    assert_eq!((ready.status, &*ready.body), (200, "ok"));
    let verbose = get(admin, "/readyz?verbose").await;
    assert_eq!(verbose.body, "[+]price ok\n[+]shutdown ok\nreadyz check passed\n");

    metrics::counter!("longshore_dead_letters_total", "lane" => "price", "class" => "refused")
        .increment(2);
    let scraped = get(admin, "/metrics").await;
    assert!(scraped.head.contains("content-type: text/plain; version=0.0.4"), "{}", scraped.head);
    let counted = r#"longshore_dead_letters_total{lane="price",class="refused"} 2"#;
    assert!(scraped.body.contains(counted), "{}", scraped.body);
    assert!(scraped.body.contains("longshore_build_info{version="), "{}", scraped.body);

    let version = get(admin, "/version").await;
    assert_eq!(version.body, concat!(r#"{"version":""#, env!("CARGO_PKG_VERSION"), r#""}"#));
    assert_eq!(get(admin, "/elsewhere").await.status, 404);

    let stuck = telemetry.health().register("stuck", Duration::ZERO);
    let dead = get(admin, "/livez?verbose").await;
    assert_eq!(dead.status, 503);
    assert!(dead.body.starts_with("[+]price ok\n[-]stuck failed: "), "{}", dead.body);
    stuck.finish();

    // An idle connection, as Prometheus keeps one, must not hold up the end.
    let idle = TcpStream::connect(admin).unwrap();
    telemetry.stop().await;
    // A child that another test is forking this instant may hold the socket a little longer.
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(admin).is_ok() {
        assert!(Instant::now() < deadline, "the admin server still listens");
    }
    drop(idle);
}

/// Set for a copy of this test program that plays one of the two roles below.
const ROLE: &str = "LONGSHORE_TEST_ROLE";

/// A process of its own that runs only the test of this name, with its role on.
fn start_copy(role: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", role, "--nocapture"])
        .env(ROLE, role)
        .env("LONGSHORE_LOG", "debug")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn plays(role: &str) -> bool {
    std::env::var(ROLE).is_ok_and(|played| played == role)
}

/// A role, not a test: never finishes draining, so only the second signal can end it in time.
/// After the deadline it ends by itself, well, which the test takes for a failure.
#[tokio::test]
async fn role_drainer() {
    if !plays("role_drainer") {
        return;
    }
    let shutdown = Shutdown::listen().unwrap();
    eprintln!("listening");
    let drained = async {
        shutdown.token().cancelled().await;
        eprintln!("draining");
        std::future::pending::<()>().await;
    };
    let _ = tokio::time::timeout(DEADLINE, drained).await;
}

fn send(signal: &str, process: &Child) {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn exit_code_after(first: &str, second: &str) -> Option<i32> {
    let mut drainer = start_copy("role_drainer");
    let mut words = BufReader::new(drainer.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(words.any(|word| word == "listening"), "it never listened");
    send(first, &drainer);
    assert!(words.any(|word| word == "draining"), "the first signal did not drain");
    assert_eq!(drainer.try_wait().unwrap(), None, "the first signal ended the process");
    // The first of these count as echoes of the first signal.
    loop {
        send(second, &drainer);
        match drainer.try_wait().unwrap() {
            Some(status) => return status.code(),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[test]
fn the_second_signal_ends_the_process_at_once_with_its_code() {
    assert_eq!(exit_code_after("-TERM", "-TERM"), Some(143));
    assert_eq!(exit_code_after("-INT", "-INT"), Some(130));
    assert_eq!(exit_code_after("-TERM", "-INT"), Some(130));
}

/// A role, not a test: logs as we do and as the Kafka client does.
#[test]
fn role_speaker() {
    if !plays("role_speaker") {
        return;
    }
    longshore_telemetry::logs::start(LogFormat::Auto, |_| {}).unwrap();
    tracing::info_span!("process", trace_id = "0af7").in_scope(|| tracing::debug!("ours"));
    tracing_log::log::info!(target: "librdkafka", "chatter");
    tracing_log::log::warn!(target: "librdkafka", "trouble");
}

#[test]
fn without_a_terminal_lines_are_json_and_the_client_library_only_warns() {
    let output = start_copy("role_speaker").wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [ours, trouble] = &lines[..] else { panic!("{text}") };
    assert_eq!((&ours["message"], &ours["trace_id"]), (&"ours".into(), &"0af7".into()));
    assert_eq!(trouble["message"], "trouble");
    assert_eq!(trouble["level"], "WARN");
    assert_eq!(trouble["target"], "librdkafka");
    assert_eq!(trouble.get("log.target"), None);
}
