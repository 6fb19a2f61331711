//! Which stages and joins a command of inspection looks at.

use crate::CommandError;
use crate::inspect::Consumer;
use crate::session::Session;

/// A stage or join of the pipeline, or a group that is in none.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Which {
    /// A stage or join of the pipeline
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    pub stage: Option<String>,
    /// A consumer group, of the pipeline or not; needs --topic
    #[arg(long, value_name = "GROUP", requires = "topic")]
    pub group: Option<String>,
    /// The topic that the group reads
    #[arg(long, value_name = "TOPIC", requires = "group")]
    pub topic: Option<String>,
}

impl Which {
    /// What was asked for; every stage and join, if nothing was.
    pub(super) fn consumers(&self, session: &Session<'_>) -> Result<Vec<Consumer>, CommandError> {
        if let (Some(group), Some(topic)) = (&self.group, &self.topic) {
            return Ok(vec![Consumer::by_hand(group, topic)]);
        }
        let all = Consumer::all(&session.pipeline()?);
        match &self.stage {
            None => Ok(all),
            Some(name) => named(all, name).map(|it| vec![it]),
        }
    }
}

fn named(all: Vec<Consumer>, name: &str) -> Result<Consumer, CommandError> {
    let names: Vec<_> = all.iter().map(|it| it.name.to_string()).collect();
    let found = all.into_iter().find(|it| it.name.as_str() == name);
    found.ok_or_else(|| CommandError::UnknownName {
        option: "--stage",
        name: name.to_owned(),
        remedy: format!("the pipeline has {}", names.join(", ")),
    })
}
