//! Listens for clients, and connects each with the broker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::control::Shared;
use crate::frames::Side;
use crate::link::Link;
use crate::pace::{self, Ending, QUEUED_MAX};
use crate::{ChaosError, Control, answers, requests};

/// A broker on the same machine or network is reached at once, or is away.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What a listener without a free file descriptor waits before it accepts again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// A proxy in front of one broker. Dropping it closes all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    control: Control,
    stop: CancellationToken,
}

impl Proxy {
    /// Listens on this address, port 0 for any that is free; the broker is named later, by
    /// [`Control::forward_to`], because it has to know this address before it starts. To be called
    /// within a tokio runtime, on which the proxy runs.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub async fn listen(address: SocketAddr) -> Result<Self, ChaosError> {
        let refused = |source| ChaosError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (control, stop) = (Control::new(), CancellationToken::new());
        let (shared, stopped) = (control.shared(), stop.clone());
        tokio::spawn(async move { stopped.run_until_cancelled(accept(listener, shared)).await });
        Ok(Self { address, control, stop })
    }

    /// Where clients connect, and what the broker must advertise.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle that changes what it does.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Accepts clients for ever. Its connections are its own: they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut links = JoinSet::new();
    loop {
        let client = tokio::select! {
            Some(_ended) = links.join_next() => continue,
            client = listener.accept() => client,
        };
        match (client, shared.enter()) {
            (Ok((client, _)), Some((number, link))) => {
                let shared = Arc::clone(&shared);
                links.spawn(async move {
                    connect(client, &link, &shared).await;
                    shared.leave(number);
                });
            }
            (Ok(_), None) => shared.counters.refused.add(),
            (Err(_), entered) => {
                if let Some((number, _)) = entered {
                    shared.leave(number);
                }
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Connects one client with the broker, until both have gone.
async fn connect(client: TcpStream, link: &Link, shared: &Shared) {
    let Some(broker) = shared.broker() else {
        return shared.counters.refused.add();
    };
    let Ok(Ok(broker)) = timeout(CONNECT_MAX, TcpStream::connect(broker)).await else {
        return shared.counters.refused.add();
    };
    shared.counters.connections.add();
    // Small requests are what this is about; without it, only slower.
    let _slower = (client.set_nodelay(true), broker.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = broker.into_split();
    let (request, requests) = mpsc::channel(QUEUED_MAX);
    let (answer, answers) = mpsc::channel(QUEUED_MAX);
    tokio::join!(
        async {
            let end = pace::read(from_client, Side::Client, request, link.client_gone()).await;
            if end == Ending::NotKafka {
                shared.counters.malformed.add();
            }
            link.client_gone().cancel();
        },
        requests::pass(requests, to_broker, link, shared),
        async {
            let end = pace::read(from_broker, Side::Broker, answer, link.ended()).await;
            if end == Ending::NotKafka {
                shared.counters.malformed.add();
                link.end();
            }
        },
        answers::pass(answers, to_client, link, shared),
    );
}

#[cfg(test)]
mod tests;
