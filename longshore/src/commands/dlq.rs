//! `dlq`: the items that were given up.

use std::fmt;

use longshore_schemas::{StageName, TopicName};
use serde::Serialize;

use super::groups::time;
use crate::inspect::Observer;
use crate::inspect::dead_letters::{DeadLetter, Newest, newest, topics_of};
use crate::session::Session;
use crate::table::Table;
use crate::{CommandError, Exit};

/// What is asked of the dead letters.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List dead letters, the newest at the bottom
    List {
        /// A topic of dead letters; all of the pipeline's without it
        #[arg(long, value_name = "TOPIC")]
        topic: Option<String>,
        /// The stage that gave up
        #[arg(long, value_name = "STAGE")]
        stage: Option<String>,
        /// How many are shown
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Debug, Serialize)]
struct List(Newest);

pub(super) fn run(command: &Command, session: &mut Session<'_>) -> Result<Exit, CommandError> {
    let Command::List { topic, stage, limit } = command;
    let kafka = session.kafka()?;
    let topics = match topic {
        Some(topic) => vec![TopicName::from(topic.as_str())],
        None => topics_of(&session.pipeline()?),
    };
    let stage = stage.as_deref().map(StageName::from);
    let found = newest(&Observer::connect(&kafka)?, &topics, stage.as_ref(), *limit)?;
    session.out.answer(&List(found))?;
    Ok(Exit::Done)
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Newest { count, letters } = &self.0;
        if *count == 0 {
            return f.write_str("no dead letters");
        }
        let head = ["WHEN", "STAGE", "CLASS", "ATTEMPTS", "ITEM", "KEY", "PLACE", "MESSAGE"];
        let mut table = Table::new(&head);
        letters.iter().for_each(|it| table.row(cells(it)));
        write!(f, "{table}{} of {count} dead letters", letters.len())
    }
}

fn cells(letter: &DeadLetter) -> [String; 8] {
    let or_none = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
    let message: String = or_none(&letter.message).escape_debug().to_string();
    [
        letter.failed_at_ms.map_or("-".to_owned(), time),
        or_none(&letter.stage),
        or_none(&letter.class),
        letter.attempts.map_or("-".to_owned(), |it| it.to_string()),
        or_none(&letter.origin),
        or_none(&letter.key),
        format!("{}/{}/{}", letter.topic, letter.partition, letter.offset),
        message.chars().take(100).collect(),
    ]
}
