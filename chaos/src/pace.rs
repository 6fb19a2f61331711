//! When a piece of a frame may go on: after its delay, at the pace of the connection, and not while
//! nothing passes.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::Rules;
use crate::counts::Counters;
use crate::frames::{Frames, Piece, Side};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;
/// Pieces that wait in one direction of a connection: 2 MiB at most. What is more waits in the
/// socket, and its sender with it.
pub(crate) const QUEUED_MAX: usize = 32;

/// A piece on its way.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) piece: Piece,
    arrived: Instant,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was closed, or nobody takes its pieces any more.
    Closed,
    /// It isn't Kafka's protocol.
    NotKafka,
}

/// Reads pieces into a queue, until the stream ends or is told to.
pub(crate) async fn read(
    mut stream: OwnedReadHalf,
    side: Side,
    queue: mpsc::Sender<Queued>,
    stop: &CancellationToken,
) -> Ending {
    let (mut frames, mut arrived) = (Frames::of(side), BytesMut::new());
    loop {
        arrived.reserve(READ_BYTES);
        let read = tokio::select! {
            () = stop.cancelled() => return Ending::Closed,
            read = stream.read_buf(&mut arrived) => read,
        };
        if !matches!(read, Ok(1..)) {
            return Ending::Closed;
        }
        let now = Instant::now();
        loop {
            let piece = match frames.take(&mut arrived) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(_) => return Ending::NotKafka,
            };
            let sent = tokio::select! {
                () = stop.cancelled() => return Ending::Closed,
                sent = queue.send(Queued { piece, arrived: now }) => sent,
            };
            if sent.is_err() {
                return Ending::Closed;
            }
        }
    }
}

/// The pace of one direction of a connection.
#[derive(Debug)]
pub(crate) struct Pace {
    rules: watch::Receiver<Rules>,
    side: Side,
    /// When the next byte may pass.
    free: Instant,
}

impl Pace {
    /// For what this side sends.
    pub(crate) fn of(side: Side, rules: watch::Receiver<Rules>) -> Self {
        Self { rules, side, free: Instant::now() }
    }

    /// Waits until this piece may go on.
    pub(crate) async fn wait(&mut self, queued: &Queued, counters: &Counters) {
        let delay = self.delay();
        if !delay.is_zero() {
            if queued.piece.head.is_some() {
                counters.delayed.add();
            }
            sleep_until(queued.arrived + delay).await;
        }
        let rate = self.rules.borrow().bytes_per_second;
        if let Some(rate) = rate {
            sleep_until(self.free).await;
            let takes = queued.piece.bytes.len() as f64 / rate.get() as f64;
            self.free = Instant::now() + Duration::from_secs_f64(takes);
        }
        // An error says that the proxy is gone, and its connections with it.
        drop(self.rules.wait_for(|rules| !rules.black_hole).await);
    }

    fn delay(&self) -> Duration {
        let rules = self.rules.borrow();
        match self.side {
            Side::Client => rules.delay_requests,
            Side::Broker => rules.delay_answers,
        }
    }
}
