//! What the broker answers, on its way to the client.

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use crate::control::Shared;
use crate::frames::{Head, Side};
use crate::link::Link;
use crate::pace::{Pace, Queued};

/// Passes answers on until the broker's side is closed. When the client has gone they are read all
/// the same, so that the broker can go on with what it was asked.
pub(crate) async fn pass(
    mut queue: mpsc::Receiver<Queued>,
    client: OwnedWriteHalf,
    link: &Link,
    shared: &Shared,
) {
    let mut answers = Answers { client: Some(client), takes: true };
    let mut pace = Pace::of(Side::Broker, shared.rules());
    loop {
        let queued = tokio::select! {
            () = link.client_gone().cancelled(), if answers.client.is_some() => {
                answers.close(link);
                continue;
            }
            queued = queue.recv() => queued,
        };
        let Some(queued) = queued else { break };
        tokio::select! {
            () = link.client_gone().cancelled() => {}
            () = pace.wait(&queued, &shared.counters) => {}
        }
        answers.take(queued, link, shared).await;
    }
    answers.close(link);
    link.end();
}

/// The client's side, while there is one.
struct Answers {
    client: Option<OwnedWriteHalf>,
    /// Whether the client gets the frame that is on its way.
    takes: bool,
}

impl Answers {
    async fn take(&mut self, queued: Queued, link: &Link, shared: &Shared) {
        if let Some(Head::Answer { correlation_id }) = queued.piece.head {
            self.takes = self.is_for_client(correlation_id, link, shared);
        }
        if !self.takes {
            return;
        }
        let Some(client) = &mut self.client else { return };
        let written = tokio::select! {
            () = link.client_gone().cancelled() => return,
            written = client.write_all(&queued.piece.bytes) => written,
        };
        if written.is_err() {
            link.client_gone().cancel();
        }
    }

    fn is_for_client(&self, correlation_id: i32, link: &Link, shared: &Shared) -> bool {
        let counters = &shared.counters;
        let asked = link.answered(correlation_id);
        if asked.is_some_and(|it| it.is_late) {
            counters.answered_late.add();
        }
        let trap = asked.and_then(|it| shared.trapped(|traps| traps.take_swallow(it.api_key)));
        if let Some(then) = trap {
            counters.swallowed.add();
            link.lose_client(then, counters);
            return false;
        }
        if self.client.is_none() || link.client_gone().is_cancelled() {
            counters.unheard.add();
            return false;
        }
        counters.answers.add();
        true
    }

    /// Closes the client's side, with a reset if that is meant.
    fn close(&mut self, link: &Link) {
        if let Some(client) = self.client.take()
            && link.is_reset()
        {
            // A socket that can't be told so has been closed by the client already.
            let _closed = client.as_ref().set_zero_linger();
            client.forget();
        }
    }
}
