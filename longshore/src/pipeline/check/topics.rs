//! Whether every topic has a name that Kafka takes, and serves one purpose.

use crate::pipeline::defaults::TOPIC_NAME_LENGTH_MAX;
use crate::pipeline::draft::{Named, PipelineDraft};
use crate::pipeline::place::Place;
use crate::pipeline::plan::{Owner, TopicPlan, topics_of};
use crate::pipeline::problem::Findings;
use crate::pipeline::shape::Pipeline;

pub(super) fn check(pipeline: &Pipeline, draft: &PipelineDraft, findings: &mut Findings) {
    let topics = topics_of(pipeline);
    for (index, topic) in topics.iter().enumerate() {
        findings.about(topic.owner.to_string());
        let place = place(&topic.owner, draft);
        short_enough(topic, place, findings);
        if let Some(earlier) = topics[..index].iter().find(|earlier| collide(earlier, topic)) {
            findings.add(place, collision(earlier, topic));
        }
    }
}

fn short_enough(topic: &TopicPlan, place: Place, findings: &mut Findings) {
    let length = topic.name.as_str().len();
    if length > TOPIC_NAME_LENGTH_MAX {
        let message = format!(
            "its topic `{}` would have a name of {length} characters, Kafka takes \
             {TOPIC_NAME_LENGTH_MAX}; shorten the names it is made of",
            topic.name
        );
        findings.add(place, message);
    }
}

/// Kafka names metrics with `.` and `_` alike and refuses a topic whose name differs in them alone.
fn collide(one: &TopicPlan, other: &TopicPlan) -> bool {
    let alike = |topic: &TopicPlan| topic.name.as_str().replace('.', "_");
    alike(one) == alike(other)
}

fn collision(earlier: &TopicPlan, topic: &TopicPlan) -> String {
    if earlier.name == topic.name {
        return format!(
            "topic `{}` is that of {} already; rename one of them",
            topic.name, earlier.owner
        );
    }
    format!(
        "topics `{}` ({}) and `{}` differ in `.` and `_` alone, and Kafka refuses the second; \
         rename one",
        earlier.name, earlier.owner, topic.name
    )
}

fn place(owner: &Owner, draft: &PipelineDraft) -> Place {
    match owner {
        Owner::Pipeline => draft.name.as_ref().map_or(Place::Code, |name| name.place),
        Owner::Source => draft.source.as_ref().map_or(Place::Code, |source| source.place),
        Owner::Stage(name) => named(&draft.stages, name),
        Owner::Join(name) => named(&draft.joins, name),
        Owner::Sink(name) => named(&draft.sinks, name),
    }
}

fn named<T>(sections: &Named<T>, name: &str) -> Place {
    let section = sections.iter().find(|(own, _)| own.value == name);
    section.map_or(Place::Code, |(own, _)| own.place)
}
