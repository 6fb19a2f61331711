//! The settings of a Kafka that is one node, for development and tests.

use std::path::Path;

use crate::ports::Ports;

/// `server.properties` of a broker and controller in one process (KRaft combined mode).
///
/// The quorum's voters are static: a dynamic quorum keeps the controller's port in its log, and a
/// folder that is kept must start again on another port.
pub(crate) fn properties(ports: Ports, bind: &str, data: &Path) -> String {
    let Ports { broker, controller } = ports;
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{bind}:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
log.dirs={data}

# One node carries every replica.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

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
        data = escape(&data.display().to_string()),
    )
}

/// In a properties file a backslash begins an escape; commas would separate two folders.
fn escape(path: &str) -> String {
    path.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_advertised_on_the_loopback_wherever_it_listens() {
        let ports = Ports { broker: 9092, controller: 9093 };
        let text = properties(ports, "0.0.0.0", Path::new("/data"));
        assert!(text.contains("listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093\n"));
        assert!(text.contains("advertised.listeners=PLAINTEXT://127.0.0.1:9092\n"));
        assert!(text.contains("log.dirs=/data\n"));
    }
}
