//! What is left of a run when it is over: nothing, or its topics and the commands to look at them.

use std::fs;
use std::path::Path;

use longshore::inspect::{Consumer, Observer};
use longshore::kafka::admin::AdminError;
use longshore::local::{Environment, KAFKA_VERSION};
use longshore::pipeline::Pipeline;
use longshore::schemas::TopicName;

use super::live::say;

/// Deletes the topics and groups of a run.
pub fn delete(observer: &Observer, pipeline: &Pipeline) -> anyhow::Result<()> {
    let topics: Vec<_> = pipeline.plan().topics.into_iter().map(|topic| topic.name).collect();
    observer.admin().delete_topics(&topics)?;
    for consumer in Consumer::all(pipeline) {
        match observer.admin().delete_group(&consumer.group) {
            // A slot's membership outlives its process by the session timeout; the broker itself
            // removes a group that has neither members nor topics.
            Ok(()) | Err(AdminError::GroupLive { .. }) => {}
            Err(error) => say(&format!("a group of the demo is left over: {error}")),
        }
    }
    Ok(())
}

/// The commands to look at a run that was kept.
pub fn commands(
    environment: &Environment,
    servers: &str,
    pipeline: &Pipeline,
    file: &Path,
) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "longshore".into());
    let ours = |command: &str| {
        format!("  {} {command} -b {servers} -p {}", program.display(), file.display())
    };
    let mut lines = vec!["\nThe topics are kept. To look at them:".to_owned()];
    lines.extend(["lag", "groups list", "dlq list", "progress show", "plan"].map(ours));
    let sinks = pipeline.joins().iter().map(|join| pipeline.results(join));
    let sinks: Vec<_> = sinks.collect();
    lines.push(ours("audit"));
    lines.extend(sinks.iter().map(|topic| kcat(servers, topic)));
    lines.extend(sinks.iter().map(|topic| console_consumer(environment, servers, topic)));
    lines.push(format!("  {} down    # if the Kafka isn't wanted any more", program.display()));
    lines.join("\n") + "\n"
}

fn kcat(servers: &str, topic: &TopicName) -> String {
    format!(
        "  kcat -b {servers} -C -t {topic} -e -X isolation.level=read_committed \
         -f '%p/%o %k %S bytes\\n'"
    )
}

/// Kafka's own, from the install of the demo if there is one.
fn console_consumer(environment: &Environment, servers: &str, topic: &TopicName) -> String {
    let libs = environment.cache_dir.join(format!("kafka-{KAFKA_VERSION}")).join("libs");
    let program = if fs::exists(&libs).unwrap_or(false) {
        let class = "org.apache.kafka.tools.consumer.ConsoleConsumer";
        format!("java -cp '{}/*' {class}", libs.display())
    } else {
        "kafka-console-consumer.sh".to_owned()
    };
    format!(
        "  {program} --bootstrap-server {servers} --topic {topic} --from-beginning \
         --isolation-level read_committed --timeout-ms 5000 --property print.key=true \
         --property print.value=false"
    )
}
