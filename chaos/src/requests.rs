//! What a client sends, on its way to the broker.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Then;
use crate::control::Shared;
use crate::frames::{Head, Side};
use crate::link::{Asked, Link};
use crate::pace::{Pace, Queued};

/// How long a broker may take to answer what a client that has gone had asked. Closing earlier
/// could make it drop a request that it hasn't read yet.
const LATE_ANSWER_MAX: Duration = Duration::from_secs(5);

/// Passes requests on until the client's side is closed and all it sent before has arrived.
pub(crate) async fn pass(
    mut queue: mpsc::Receiver<Queued>,
    mut broker: OwnedWriteHalf,
    link: &Link,
    shared: &Shared,
) {
    let mut pace = Pace::of(Side::Client, shared.rules());
    tokio::select! {
        () = link.ended().cancelled() => {}
        () = pass_all(&mut queue, &mut broker, &mut pace, (link, shared)) => {}
    }
    // Whoever was kept back is no longer.
    link.end();
}

async fn pass_all(
    queue: &mut mpsc::Receiver<Queued>,
    broker: &mut OwnedWriteHalf,
    pace: &mut Pace,
    (link, shared): (&Link, &Shared),
) {
    while let Some(queued) = queue.recv().await {
        pace.wait(&queued, &shared.counters).await;
        if let Some(Head::Request { api_key, correlation_id, .. }) = queued.piece.head {
            let hold = shared.trapped(|traps| traps.take_hold(api_key));
            if let Some((at_most, then)) = hold {
                hold_back(at_most, then, (link, shared)).await;
            }
            let is_late = hold.is_some() && link.client_gone().is_cancelled();
            link.asked(Asked { correlation_id, api_key, is_late });
            shared.counters.requests.add();
            if is_late {
                shared.counters.delivered_late.add();
            }
        }
        if broker.write_all(&queued.piece.bytes).await.is_err() {
            return;
        }
    }
    // The time is a bound, and no condition that could fail.
    drop(timeout(LATE_ANSWER_MAX, link.all_answered()).await);
}

/// Keeps a request back until all are released, or for so long.
async fn hold_back(at_most: Duration, then: Then, (link, shared): (&Link, &Shared)) {
    // Both before the client can see anything: whoever waits for the count may release at once.
    let mut released = shared.released();
    link.set_holding(true);
    let held = Held::new(shared);
    link.lose_client(then, &shared.counters);
    // Released, or kept for long enough.
    drop(timeout(at_most, released.changed()).await);
    drop(held);
    link.set_holding(false);
}

/// A request that is kept back, counted for so long.
struct Held<'a>(&'a Shared);

impl<'a> Held<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.counters.held_now.add();
        shared.counters.held.add();
        Self(shared)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.counters.held_now.subtract();
    }
}
