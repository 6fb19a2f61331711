//! What a pipeline needs on a broker, said before anything runs.

mod access;
mod advice;
mod bounds;
mod differences;
mod table;
mod topics;

use super::shape::Pipeline;

pub use access::Access;
pub use bounds::JoinBounds;
pub use differences::{Differences, ExistingTopic, WrongTopic};
pub(super) use topics::topics_of;
pub use topics::{Demand, Owner, Role, TopicPlan, TopicSetting};

/// What a pipeline needs on a broker. `{}` prints it as tables for people.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Plan {
    /// The pipeline.
    pub pipeline: String,
    /// Its topics, in data's way.
    pub topics: Vec<TopicPlan>,
    /// What each of its components must be allowed to do, and nothing more.
    pub access: Vec<Access>,
    /// How much its joins may take.
    pub bounds: Vec<JoinBounds>,
    /// What is allowed but probably not meant.
    pub advice: Vec<String>,
}

impl Pipeline {
    /// What the pipeline needs on a broker.
    pub fn plan(&self) -> Plan {
        Plan {
            pipeline: self.name.clone(),
            topics: topics_of(self),
            access: access::of(self),
            bounds: bounds::of(self),
            advice: advice::of(self),
        }
    }
}
