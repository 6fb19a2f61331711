//! The two ports of a broker on the loopback.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use crate::LocalError;

/// Where the broker and its controller listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) broker: u16,
    pub(crate) controller: u16,
}

impl Ports {
    /// Two ports that are free now. Until Kafka listens somebody else may take one: a start that
    /// may choose its ports therefore tries again.
    pub(crate) fn pick() -> Result<Self, LocalError> {
        let refused = || LocalError::io("find a free port of", Path::new("127.0.0.1"));
        let (broker, controller) = two_free_ports().map_err(refused())?;
        Ok(Self { broker, controller })
    }

    /// An error if somebody listens on either, before a JVM takes seconds to find out.
    pub(crate) fn check_free(self) -> Result<(), LocalError> {
        let busy = [self.broker, self.controller].into_iter().find(|port| listen(*port).is_err());
        busy.map_or(Ok(()), |port| Err(LocalError::PortBusy { port }))
    }

    pub(crate) fn bootstrap_servers(self) -> String {
        format!("127.0.0.1:{}", self.broker)
    }
}

/// Both are held at once, so that they differ.
fn two_free_ports() -> io::Result<(u16, u16)> {
    let (first, second) = (listen(0)?, listen(0)?);
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_ports_differ_and_are_free() {
        let ports = Ports::pick().unwrap();
        assert_ne!(ports.broker, ports.controller);
        ports.check_free().unwrap();
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = listen(0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = Ports { broker: Ports::pick().unwrap().broker, controller: port };
        let error = ports.check_free().unwrap_err();
        assert!(matches!(error, LocalError::PortBusy { port: named } if named == port));
    }
}
