//! Whether the process lives (its loops turn) and whether it is ready (it takes part in the work).
//!
//! Living asks nothing of Kafka: a process isn't restarted because its broker is away. Answers look
//! like those of the Kubernetes API server, since the same people read both.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// What keeps a component from being ready, or that nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It has no connection to the broker.
    Disconnected,
    /// It is connected and waits for its assignment. An empty assignment is one too: a spare member
    /// of a group is ready.
    Unassigned,
    /// It works, or would if there were work.
    Ready,
}

impl Readiness {
    fn verdict(self) -> Verdict {
        match self {
            Self::Disconnected => Err("not connected to the broker".to_owned()),
            Self::Unassigned => Err("no assignment yet".to_owned()),
            Self::Ready => Ok(()),
        }
    }
}

/// The components of a process, each with its own loop. Clones see the same ones.
#[derive(Debug, Clone)]
pub struct Health {
    draining: CancellationToken,
    components: Arc<Mutex<Vec<Arc<State>>>>,
}

impl Health {
    /// No component yet. Once `draining` is cancelled the process is no longer ready, before any
    /// component has noticed.
    pub fn new(draining: CancellationToken) -> Self {
        Self { draining, components: Arc::default() }
    }

    /// Adds a component, [`Readiness::Disconnected`] at first. It lives as long as no more than
    /// `beat_limit` passes between two beats; registering is the first. Give it several times what
    /// one turn of the loop may take at worst.
    pub fn register(&self, name: impl Into<String>, beat_limit: Duration) -> Component {
        let state = Arc::new(State {
            name: name.into(),
            beat_limit,
            registered: Instant::now(),
            beat_millis: AtomicU64::new(0),
            readiness: Mutex::new(Readiness::Disconnected),
        });
        lock(&self.components).push(Arc::clone(&state));
        Component { state, components: Arc::clone(&self.components) }
    }

    /// Does every loop turn?
    pub(crate) fn live(&self) -> Report {
        self.live_at(Instant::now())
    }

    fn live_at(&self, now: Instant) -> Report {
        let components = lock(&self.components);
        let checks = components.iter().map(|state| Check::new(&state.name, state.alive(now)));
        Report { probe: "livez", checks: checks.collect() }
    }

    /// Does the process take part in the work?
    pub(crate) fn ready(&self) -> Report {
        let components = lock(&self.components);
        let mut checks: Vec<_> = components
            .iter()
            .map(|state| Check::new(&state.name, lock(&state.readiness).verdict()))
            .collect();
        if checks.is_empty() {
            checks.push(Check::new("components", Err("none is running".to_owned())));
        }
        checks.push(Check::new("shutdown", self.not_draining()));
        Report { probe: "readyz", checks }
    }

    fn not_draining(&self) -> Verdict {
        if self.draining.is_cancelled() { Err("draining".to_owned()) } else { Ok(()) }
    }
}

/// A component's own end: it says that its loop turns and what it waits for.
///
/// One that ends in order says so with [`finish`](Self::finish). One that is merely dropped stays
/// in the list and soon counts as dead, because that is what it is.
#[derive(Debug)]
pub struct Component {
    state: Arc<State>,
    components: Arc<Mutex<Vec<Arc<State>>>>,
}

impl Component {
    /// The loop has come round. Cheap enough for every turn.
    pub fn beat(&self) {
        self.state.beat_at(Instant::now());
    }

    /// What the component waits for from now on.
    pub fn set(&self, readiness: Readiness) {
        *lock(&self.state.readiness) = readiness;
    }

    /// The loop has ended as it should: the component is judged no longer.
    pub fn finish(self) {
        lock(&self.components).retain(|state| !Arc::ptr_eq(state, &self.state));
    }
}

#[derive(Debug)]
struct State {
    name: String,
    beat_limit: Duration,
    registered: Instant,
    /// The last beat, in milliseconds since `registered`.
    beat_millis: AtomicU64,
    readiness: Mutex<Readiness>,
}

impl State {
    fn beat_at(&self, now: Instant) {
        let millis = now.duration_since(self.registered).as_millis();
        self.beat_millis.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn alive(&self, now: Instant) -> Verdict {
        let beat = Duration::from_millis(self.beat_millis.load(Ordering::Relaxed));
        let silence = now.duration_since(self.registered).saturating_sub(beat);
        if silence <= self.beat_limit {
            return Ok(());
        }
        let (silence, limit) = (silence.as_secs_f64(), self.beat_limit.as_secs_f64());
        Err(format!("its loop has not turned for {silence:.1} s, the limit is {limit:.1} s"))
    }
}

/// A holder that panicked can't leave these lists and enums half written, so its lock is as good as
/// any; and health must answer after a panic above all.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Well, or the reason why not.
type Verdict = Result<(), String>;

#[derive(Debug, PartialEq, Eq)]
struct Check {
    name: String,
    verdict: Verdict,
}

impl Check {
    fn new(name: &str, verdict: Verdict) -> Self {
        Self { name: name.to_owned(), verdict }
    }
}

/// The answer to one probe.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    probe: &'static str,
    checks: Vec<Check>,
}

impl Report {
    /// Whether every check is well.
    pub(crate) fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.verdict.is_ok())
    }

    /// The short answer, as long as all is well.
    pub(crate) fn brief(&self) -> String {
        if self.passed() { "ok".to_owned() } else { self.verbose() }
    }

    /// Every check on a line of its own.
    pub(crate) fn verbose(&self) -> String {
        let mut text = String::new();
        for Check { name, verdict } in &self.checks {
            // Writing to a string can't fail.
            let _ = match verdict {
                Ok(()) => writeln!(text, "[+]{name} ok"),
                Err(reason) => writeln!(text, "[-]{name} failed: {reason}"),
            };
        }
        let verdict = if self.passed() { "passed" } else { "failed" };
        text + self.probe + " check " + verdict + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn health() -> (Health, CancellationToken) {
        let draining = CancellationToken::new();
        (Health::new(draining.clone()), draining)
    }

    #[test]
    fn readiness_follows_this_table() {
        use Readiness::{Disconnected, Ready, Unassigned};
        for (first, second, draining, ready) in [
            (Disconnected, Disconnected, false, false),
            (Disconnected, Ready, false, false),
            (Unassigned, Ready, false, false),
            (Ready, Unassigned, false, false),
            (Ready, Ready, false, true),
            (Ready, Ready, true, false),
            (Unassigned, Ready, true, false),
        ] {
            let (health, token) = health();
            let lanes = [health.register("price", LIMIT), health.register("check", LIMIT)];
            lanes[0].set(first);
            lanes[1].set(second);
            if draining {
                token.cancel();
            }
            assert_eq!(health.ready().passed(), ready, "{first:?} {second:?} {draining}");
        }
    }

    #[test]
    fn every_check_is_listed_with_its_reason() {
        let (health, token) = health();
        let price = health.register("price", LIMIT);
        let check = health.register("check", LIMIT);
        price.set(Readiness::Ready);
        check.set(Readiness::Unassigned);
        token.cancel();
        assert_eq!(
            health.ready().brief(),
            "[+]price ok\n[-]check failed: no assignment yet\n[-]shutdown failed: draining\n\
             readyz check failed\n"
        );
    }

    #[test]
    fn a_healthy_process_answers_briefly_unless_asked_for_more() {
        let (health, _token) = health();
        health.register("price", LIMIT).set(Readiness::Ready);
        assert_eq!(health.ready().brief(), "ok");
        assert_eq!(health.ready().verbose(), "[+]price ok\n[+]shutdown ok\nreadyz check passed\n");
    }

    #[test]
    fn a_process_without_components_lives_and_is_not_ready() {
        let (health, _token) = health();
        assert!(health.live().passed());
        assert!(!health.ready().passed());
    }

    #[test]
    fn a_loop_lives_until_its_limit_after_the_last_beat() {
        let (health, _token) = health();
        let lane = health.register("price", LIMIT);
        let start = lane.state.registered;
        let second = Duration::from_secs(1);
        assert!(health.live_at(start + LIMIT).passed());
        assert!(!health.live_at(start + LIMIT + second).passed());
        lane.state.beat_at(start + 5 * second);
        assert!(health.live_at(start + 5 * second + LIMIT).passed());
        assert_eq!(
            health.live_at(start + 6 * second + LIMIT).brief(),
            "[-]price failed: its loop has not turned for 11.0 s, the limit is 10.0 s\n\
             livez check failed\n"
        );
    }

    #[test]
    fn a_disconnected_or_draining_loop_that_turns_lives() {
        let (health, token) = health();
        let lane = health.register("price", LIMIT);
        lane.set(Readiness::Disconnected);
        token.cancel();
        assert!(health.live().passed());
    }

    #[test]
    fn a_finished_component_is_forgotten_and_a_dropped_one_is_not() {
        let (health, _token) = health();
        let finished = health.register("done", LIMIT);
        let dropped = health.register("lost", LIMIT);
        let start = dropped.state.registered;
        finished.finish();
        drop(dropped);
        let late = health.live_at(start + 2 * LIMIT).verbose();
        assert!(!late.contains("done"), "{late}");
        assert!(late.contains("[-]lost failed"), "{late}");
    }
}
