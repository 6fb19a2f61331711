//! Waiting for a condition, never for a guess.

use std::thread;
use std::time::{Duration, Instant};

/// No condition may take longer.
pub const DEADLINE: Duration = Duration::from_secs(90);
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Looks until something is found.
///
/// # Panics
/// If nothing is found in time.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_pausing(LOOK, what, look)
}

/// The same for what passes within milliseconds: looks again at once. A look has to take some time
/// of its own, such as a question to a broker does.
///
/// # Panics
/// If nothing is found in time.
pub fn until_caught<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_pausing(Duration::ZERO, what, look)
}

fn until_pausing<T>(pause: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < DEADLINE {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(pause);
    }
    panic!("not within {DEADLINE:?}: {what}");
}
