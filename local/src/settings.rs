//! The settings of a Kafka for development and tests.

use std::path::Path;

use crate::node::Node;

/// `server.properties` of a broker and controller in one process (KRaft combined mode).
///
/// The quorum's voters are static: a dynamic quorum keeps the controller's port in its log, and a
/// folder that is kept must start again on another port.
pub(crate) fn properties(node: &Node, bind: &str, data: &Path) -> String {
    let (broker, controller) = (node.ports.broker, node.ports.controller);
    let (listens, advertises) = behind_proxies(node, bind);
    let among_brokers = if node.ports.among_brokers.is_some() { "BROKERS" } else { "PLAINTEXT" };
    let replicas = node.voters.len();
    format!(
        "\
process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
inter.broker.listener.name={among_brokers}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\
PROXIED:PLAINTEXT,BROKERS:PLAINTEXT
listeners=PLAINTEXT://{bind}:{broker},CONTROLLER://127.0.0.1:{controller}{listens}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}{advertises}
log.dirs={data}

# Every node carries every replica; what a majority has is written.
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}

# 50 partitions each, the default, cost a second and many files at first use.
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
share.coordinator.state.topic.num.partitions=8

# The first member of a group is assigned at once instead of after 3 s.
group.initial.rebalance.delay.ms=0

# After a kill -9 the broker may register again only when its dead predecessor's session is over:
# 9 s by default. A session is still five heartbeats long.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000

# A misspelt topic is an error, not a new topic.
auto.create.topics.enable=false
",
        id = node.id,
        voters = voters(node),
        in_sync = replicas / 2 + 1,
        data = escape(&data.display().to_string()),
    )
}

fn voters(node: &Node) -> String {
    let voter = |(id, port): &(u32, u16)| format!("{id}@127.0.0.1:{port}");
    node.voters.iter().map(voter).collect::<Vec<_>>().join(",")
}

/// A listener of its own for each proxy: who came through it is told its address, and others are
/// not.
fn behind_proxies(node: &Node, bind: &str) -> (String, String) {
    let proxies = [
        ("PROXIED", node.ports.proxied, node.proxy),
        ("BROKERS", node.ports.among_brokers, node.proxy_among_brokers),
    ];
    let mut settings = (String::new(), String::new());
    for (listener, port, proxy) in proxies {
        if let (Some(port), Some(proxy)) = (port, proxy) {
            settings.0 += &format!(",{listener}://{bind}:{port}");
            settings.1 += &format!(",{listener}://{proxy}");
        }
    }
    settings
}

/// In a properties file a backslash begins an escape; commas would separate two folders.
fn escape(path: &str) -> String {
    path.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Ports;

    #[test]
    fn the_broker_is_advertised_on_the_loopback_wherever_it_listens() {
        let ports = Ports { broker: 9092, controller: 9093, proxied: None, among_brokers: None };
        let text = properties(&Node::alone(ports), "0.0.0.0", Path::new("/data"));
        assert!(text.contains("listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093\n"));
        assert!(text.contains("advertised.listeners=PLAINTEXT://127.0.0.1:9092\n"));
        assert!(text.contains("log.dirs=/data\n"));
        assert!(text.contains("node.id=1\ncontroller.quorum.voters=1@127.0.0.1:9093\n"));
        assert!(text.contains("min.insync.replicas=1\n"));
    }

    #[test]
    fn who_comes_through_a_proxy_is_told_its_address() {
        let ports = Ports {
            broker: 9092,
            controller: 9093,
            proxied: Some(9094),
            among_brokers: Some(9095),
        };
        let [proxy, between] = ["127.0.0.1:7777", "127.0.0.1:8888"].map(|it| it.parse().ok());
        let node = Node { proxy, proxy_among_brokers: between, ..Node::alone(ports) };
        let text = properties(&node, "127.0.0.1", Path::new("/data"));
        for line in [
            ",PROXIED://127.0.0.1:9094,BROKERS://127.0.0.1:9095\n",
            "advertised.listeners=PLAINTEXT://127.0.0.1:9092,PROXIED://127.0.0.1:7777,\
             BROKERS://127.0.0.1:8888\n",
            "inter.broker.listener.name=BROKERS\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn of_three_nodes_two_must_have_what_is_written() {
        let ports =
            |broker| Ports { broker, controller: broker + 1, proxied: None, among_brokers: None };
        let nodes = Node::three([ports(1000), ports(2000), ports(3000)]);
        let text = properties(&nodes[1], "127.0.0.1", Path::new("/data"));
        assert!(text.contains("node.id=2\n"), "{text}");
        let voters = "1@127.0.0.1:1001,2@127.0.0.1:2001,3@127.0.0.1:3001";
        assert!(text.contains(&format!("controller.quorum.voters={voters}\n")), "{text}");
        for line in ["default.replication.factor=3\n", "min.insync.replicas=2\n"] {
            assert!(text.contains(line), "{text}");
        }
    }
}
