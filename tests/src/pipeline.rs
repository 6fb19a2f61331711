//! The pipelines that are run.

/// The shape of a pipeline under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One stage, from the source to a sink, over so many partitions.
    Stage {
        /// Of every topic.
        partitions: u32,
    },
    /// Each item is split into three parts, which are worked on and gathered.
    Join,
}

impl Shape {
    /// Its file, for a pipeline of this name.
    pub fn file(self, name: &str) -> String {
        let file = match self {
            Self::Stage { partitions } => STAGE.replace("PARTITIONS", &partitions.to_string()),
            Self::Join => JOIN.to_owned(),
        };
        file.replace("NAME", name)
    }
}

const STAGE: &str = "\
pipeline: NAME
partitions: PARTITIONS
source: {topic: NAME-items, schema: Job, key: key, start: earliest}
stages:
  work: {from: source, handler: work, attempts: 2, crashes_max: 2, item_timeout: 120s, to: done}
sinks:
  done: {topic: NAME-done}
";

const JOIN: &str = "\
pipeline: NAME
partitions: 2
source: {topic: NAME-items, schema: Job, key: key, start: earliest}
stages:
  split: {from: source, handler: split, fan_out: {parts: parts, join: all}}
  part: {from: split, handler: work, item_timeout: 120s, to: all}
joins:
  all: {of: [part], when: all_ended, timeout: 120s, gather: gather, into: done}
sinks:
  done: {topic: NAME-done}
";
