//! A plan beside what a broker has already.

use std::collections::BTreeMap;
use std::fmt;

use longshore_schemas::TopicName;
use serde::Serialize;

use crate::pipeline::defaults::MESSAGE_BYTES_MAX;

use super::Plan;
use super::topics::{Demand, Role, TopicPlan, TopicSetting};

/// A topic as it is on a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingTopic {
    /// Its name.
    pub name: TopicName,
    /// Its partitions.
    pub partitions: u32,
    /// All its settings in effect, those it has from the broker included.
    pub settings: BTreeMap<String, String>,
}

/// What must be done so that a broker has what a plan needs. `{}` prints it for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Topics to make, as they must be beside those that exist.
    pub create: Vec<TopicPlan>,
    /// Topics that are as they must be.
    pub ok: Vec<TopicName>,
    /// Topics that aren't. They are never altered by us.
    pub wrong: Vec<WrongTopic>,
}

/// A topic that isn't as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongTopic {
    /// Its name.
    pub topic: TopicName,
    /// What is wrong with it.
    pub wrong: String,
    /// What to do.
    pub remedy: String,
}

impl Plan {
    /// Compares the plan with what exists on a broker; topics of others may be among it.
    pub fn against(&self, existing: &[ExistingTopic]) -> Differences {
        let existing: BTreeMap<&str, &ExistingTopic> =
            existing.iter().map(|topic| (topic.name.as_str(), topic)).collect();
        let mut differences = Differences::default();
        for topic in &self.topics {
            let topic = beside(topic, &existing);
            match existing.get(topic.name.as_str()) {
                None => differences.create.push(topic),
                Some(found) => differences.compare(&topic, found),
            }
        }
        differences
    }
}

impl Differences {
    fn compare(&mut self, topic: &TopicPlan, found: &ExistingTopic) {
        let faults = match topic.role {
            Role::Source | Role::Sink => Vec::new(),
            _ => faults(topic, found),
        };
        if faults.is_empty() {
            self.ok.push(topic.name.clone());
        }
        self.wrong.extend(faults);
    }
}

/// The topic as it must be given the others that exist: as wide as the one it follows, and with
/// room for its records.
fn beside(topic: &TopicPlan, existing: &BTreeMap<&str, &ExistingTopic>) -> TopicPlan {
    let followed = topic.follows.as_ref().and_then(|followed| existing.get(followed.as_str()));
    let mut topic = topic.clone();
    topic.partitions = followed.map_or(0, |followed| followed.partitions).max(topic.partitions);
    for setting in &mut topic.settings {
        if let Demand::Above { topic, bytes } = &setting.demand {
            let of = existing.get(topic.as_str()).and_then(|of| of.settings.get(setting.name));
            let below = of.and_then(|value| value.parse().ok()).unwrap_or(MESSAGE_BYTES_MAX);
            setting.value = below.saturating_add(*bytes).to_string();
        }
    }
    topic
}

fn faults(topic: &TopicPlan, found: &ExistingTopic) -> Vec<WrongTopic> {
    let settings = topic.settings.iter().filter_map(|setting| misset(topic, setting, found));
    too_narrow(topic, found).into_iter().chain(settings).collect()
}

fn too_narrow(topic: &TopicPlan, found: &ExistingTopic) -> Option<WrongTopic> {
    let needed = topic.partitions;
    let keys_move = match topic.role {
        Role::Work => ", while no items wait in it: adding partitions moves keys",
        _ => "",
    };
    (found.partitions < needed).then(|| WrongTopic {
        topic: topic.name.clone(),
        wrong: format!("has {} of {needed} partitions", found.partitions),
        remedy: format!(
            "kafka-topics.sh --alter --topic {} --partitions {needed}{keys_move}",
            topic.name
        ),
    })
}

fn misset(topic: &TopicPlan, setting: &TopicSetting, found: &ExistingTopic) -> Option<WrongTopic> {
    let value = found.settings.get(setting.name).map(String::as_str);
    let (name, wanted) = (setting.name, &setting.value);
    (!satisfies(setting, value)).then(|| WrongTopic {
        topic: topic.name.clone(),
        wrong: format!("{name} is {}, {}", value.unwrap_or("not known"), expectation(setting)),
        remedy: format!(
            "kafka-configs.sh --alter --topic {} --add-config {name}={wanted}",
            topic.name
        ),
    })
}

fn satisfies(setting: &TopicSetting, value: Option<&str>) -> bool {
    let number = value.and_then(|value| value.parse::<i64>().ok());
    let at_least = |least: i64| number.is_some_and(|number| number == -1 || number >= least);
    match &setting.demand {
        Demand::Exactly => value == Some(setting.value.as_str()),
        Demand::AtLeast(least) => at_least(*least),
        Demand::Above { .. } => setting.value.parse().is_ok_and(at_least),
        Demand::Nothing => true,
    }
}

fn expectation(setting: &TopicSetting) -> String {
    match &setting.demand {
        Demand::AtLeast(least) => format!("must be at least {least}"),
        Demand::Above { .. } => format!("must be at least {}", setting.value),
        Demand::Exactly | Demand::Nothing => format!("must be {}", setting.value),
    }
}

impl fmt::Display for WrongTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; run {}", self.topic, self.wrong, self.remedy)
    }
}
