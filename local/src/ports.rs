//! The ports of a broker on the loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use crate::LocalError;

/// Where the broker and its controller listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) broker: u16,
    pub(crate) controller: u16,
    /// Where it listens for a proxy, if there is one in front of it.
    pub(crate) proxied: Option<u16>,
    /// Where it listens for what brokers send one another, if that has a proxy of its own.
    pub(crate) among_brokers: Option<u16>,
}

impl Ports {
    /// Ports that are free now. Until Kafka listens somebody else may take one: a start that may
    /// choose its ports therefore tries again.
    pub(crate) fn pick() -> Result<Self, LocalError> {
        let [broker, controller] = free()?;
        Ok(Self { broker, controller, proxied: None, among_brokers: None })
    }

    /// The same for a broker with a proxy in front of it.
    pub(crate) fn pick_behind_proxy() -> Result<Self, LocalError> {
        let [broker, controller, proxied] = free()?;
        Ok(Self { broker, controller, proxied: Some(proxied), among_brokers: None })
    }

    /// The same for one whose requests to itself go through a proxy as well.
    pub(crate) fn pick_behind_proxies() -> Result<Self, LocalError> {
        let [broker, controller, proxied, among_brokers] = free()?;
        let (proxied, among_brokers) = (Some(proxied), Some(among_brokers));
        Ok(Self { broker, controller, proxied, among_brokers })
    }

    /// The same for three brokers at once.
    pub(crate) fn pick_three() -> Result<[Self; 3], LocalError> {
        let [a, b, c, d, e, f] = free()?;
        let ports =
            |broker, controller| Self { broker, controller, proxied: None, among_brokers: None };
        Ok([ports(a, b), ports(c, d), ports(e, f)])
    }

    /// An error if somebody listens on one, before a JVM takes seconds to find out.
    pub(crate) fn check_free(self) -> Result<(), LocalError> {
        let all = [self.broker, self.controller].into_iter();
        let all = all.chain(self.proxied).chain(self.among_brokers);
        let busy = all.into_iter().find(|port| listen(*port).is_err());
        busy.map_or(Ok(()), |port| Err(LocalError::PortBusy { port }))
    }

    /// Those that clients connect to.
    pub(crate) fn of_clients(self) -> impl Iterator<Item = u16> {
        [self.broker].into_iter().chain(self.proxied).chain(self.among_brokers)
    }

    pub(crate) fn bootstrap_servers(self) -> String {
        format!("127.0.0.1:{}", self.broker)
    }

    /// What a proxy forwards to.
    pub(crate) fn proxied_address(self) -> Option<SocketAddr> {
        self.proxied.map(|port| (Ipv4Addr::LOCALHOST, port).into())
    }

    /// What the proxy between brokers forwards to.
    pub(crate) fn address_among_brokers(self) -> Option<SocketAddr> {
        self.among_brokers.map(|port| (Ipv4Addr::LOCALHOST, port).into())
    }
}

/// All are held at once, so that they differ.
fn free<const COUNT: usize>() -> Result<[u16; COUNT], LocalError> {
    let refused = || LocalError::io("find a free port of", Path::new("127.0.0.1"));
    let mut held = Vec::with_capacity(COUNT);
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener = listen(0).map_err(refused())?;
        *port = listener.local_addr().map_err(refused())?.port();
        held.push(listener);
    }
    Ok(ports)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_ports_differ_and_are_free() {
        let ports = Ports::pick_behind_proxies().unwrap();
        let proxied = [ports.proxied, ports.among_brokers].map(Option::unwrap);
        let all = [ports.broker, ports.controller].into_iter().chain(proxied);
        assert_eq!(all.collect::<std::collections::BTreeSet<_>>().len(), 4);
        ports.check_free().unwrap();
    }

    #[test]
    fn a_taken_port_is_named() {
        let taken = listen(0).unwrap();
        let port = taken.local_addr().unwrap().port();
        let free = Ports::pick().unwrap();
        for ports in [Ports { controller: port, ..free }, Ports { proxied: Some(port), ..free }] {
            let error = ports.check_free().unwrap_err();
            assert!(matches!(error, LocalError::PortBusy { port: named } if named == port));
        }
    }
}
