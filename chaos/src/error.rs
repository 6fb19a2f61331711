//! What can go wrong before anything is broken on purpose.

use std::io;
use std::net::SocketAddr;

/// Why there is no proxy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChaosError {
    /// The address can't be listened on.
    #[error("the proxy can't listen on {address}: {source}; is the port taken?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
