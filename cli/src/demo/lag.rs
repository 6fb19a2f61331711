//! What the groups have still to finish, from their committed progress.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use longshore::inspect::{Observer, Total};
use longshore::pipeline::Pipeline;

/// Time between two looks: the broker has other work.
const EVERY: Duration = Duration::from_millis(500);

/// A look at all groups.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// When it began.
    pub at: Instant,
    /// Records unfinished at most; zero is exact.
    pub unfinished: u64,
}

/// A thread that looks again and again. Dropping it ends it.
pub struct Watch {
    latest: Arc<Mutex<Option<Look>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Looks at every stage and join of a pipeline.
    pub fn start(observer: Arc<Observer>, pipeline: &Pipeline) -> anyhow::Result<Self> {
        let total = Total::of(&observer, pipeline)?;
        let latest: Arc<Mutex<Option<Look>>> = Arc::default();
        let ending: Arc<AtomicBool> = Arc::default();
        let (told, asked) = (Arc::clone(&latest), Arc::clone(&ending));
        let watch = move || {
            while !asked.load(Ordering::Relaxed) {
                let at = Instant::now();
                let look = total.unfinished(&observer).map(|unfinished| Look { at, unfinished });
                *told.lock().unwrap_or_else(PoisonError::into_inner) = look.ok();
                thread::park_timeout(EVERY);
            }
        };
        let thread = thread::Builder::new().name("lag".to_owned()).spawn(watch)?;
        Ok(Self { latest, ending, thread: Some(thread) })
    }

    /// The latest look; none if that failed, or there was none yet.
    pub fn latest(&self) -> Option<Look> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A watch that panicked has said so.
            let _panicked = thread.join();
        }
    }
}
