//! A node of a Kafka: its id, where it listens, and who votes with it.

use std::net::SocketAddr;

use crate::ports::Ports;

/// What a broker of a cluster is told of itself and the others.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: u32,
    pub(crate) ports: Ports,
    /// The ids and controllers' ports of all nodes, this one included.
    pub(crate) voters: Vec<(u32, u16)>,
    /// What clients of a proxy are told, if its ports have a listener for one.
    pub(crate) proxy: Option<SocketAddr>,
    /// What brokers are told of each other, if its ports have a listener for that.
    pub(crate) proxy_among_brokers: Option<SocketAddr>,
    /// The release whose features it begins with; none is its own.
    pub(crate) release: Option<&'static str>,
}

impl Node {
    /// A cluster of one.
    pub(crate) fn alone(ports: Ports) -> Self {
        Self {
            id: 1,
            ports,
            voters: vec![(1, ports.controller)],
            proxy: None,
            proxy_among_brokers: None,
            release: None,
        }
    }

    /// The nodes of a cluster of three.
    pub(crate) fn three(ports: [Ports; 3]) -> [Self; 3] {
        let [one, two, three] = ports.map(|it| it.controller);
        let voters = vec![(1, one), (2, two), (3, three)];
        let node = |id, ports| Self { id, voters: voters.clone(), ..Self::alone(ports) };
        let [one, two, three] = ports;
        [node(1, one), node(2, two), node(3, three)]
    }
}
