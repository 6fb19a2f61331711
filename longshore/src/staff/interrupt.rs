//! Ctrl-C and SIGTERM, for who runs other processes: they end in order with it.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports of a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Knows whether it was asked to end.
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    _listening: Runtime,
}

impl Interrupt {
    /// Listens from now on. The second signal ends the process at once; the leashes of its children
    /// and of its broker end those.
    pub fn listen() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        drop(entered);
        let asked = Arc::new(AtomicBool::new(false));
        runtime.spawn(await_signals(interrupt, terminate, Arc::clone(&asked)));
        Ok(Self { asked, _listening: runtime })
    }

    /// Whether a signal came.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn await_signals(mut interrupt: Signal, mut terminate: Signal, asked: Arc<AtomicBool>) {
    // Two signals: the second one ends it.
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if asked.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
    }
}
