//! The names that a pipeline's parts have on the broker, each made in one place.

use longshore_schemas::TopicName;

use super::shape::{Destination, Join, Pipeline, Sink, Source, Stage, StageInput};

/// The dead letters of a topic: Spring Kafka's name, which tools already look for.
pub(super) fn dead_letters(topic: &TopicName) -> TopicName {
    format!("{topic}-dlt").into()
}

/// The producers' cursors of a source topic.
pub(super) fn cursors(topic: &str) -> TopicName {
    format!("{topic}.cursors").into()
}

impl Pipeline {
    /// Which partitions each of its groups has begun.
    pub fn begun(&self) -> TopicName {
        format!("{}.begun", self.name).into()
    }

    /// The consumer group of a stage, and the beginning of its transactional ids.
    pub fn stage_group(&self, stage: &Stage) -> String {
        format!("{}.{}", self.name, stage.name)
    }

    /// The consumer group of a join, and the beginning of its transactional ids.
    pub fn join_group(&self, join: &Join) -> String {
        format!("{}.{}", self.name, join.name)
    }

    /// The beginning of the producers' transactional ids. `source` is the name of no stage.
    pub fn producer_group(&self) -> String {
        format!("{}.source", self.name)
    }

    /// The topic that a stage reads.
    pub fn input(&self, stage: &Stage) -> TopicName {
        match &stage.from {
            StageInput::Source => self.source.topic.clone(),
            StageInput::Stage(from) => format!("{}.{from}", self.name).into(),
        }
    }

    /// The topic that a stage writes.
    pub fn output(&self, stage: &Stage) -> TopicName {
        match &stage.to {
            Destination::OwnTopic => self.own_topic(stage),
            Destination::Join(join) => self.of_join(join, "inbox"),
            Destination::Sink(sink) => self.sink_topic(sink),
        }
    }

    /// A stage's own topic; it exists if the stage has no other destination.
    pub fn own_topic(&self, stage: &Stage) -> TopicName {
        format!("{}.{}", self.name, stage.name).into()
    }

    /// The dead letters of a stage: those of its input, shared by all who read it.
    pub fn stage_dead_letters(&self, stage: &Stage) -> TopicName {
        dead_letters(&self.input(stage))
    }

    /// The openings and outcomes of a join's groups.
    pub fn inbox(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "inbox")
    }

    /// What a join's inbox alone doesn't say.
    pub fn journal(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "journal")
    }

    /// Second openings, parts nobody expects, and duplicates that differ.
    pub fn conflicts(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "conflicts")
    }

    /// Parts whose group never opened.
    pub fn orphans(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "orphans")
    }

    /// Parts that came after their group had closed.
    pub fn late(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "late")
    }

    /// Groups that failed fast, so that workers can skip their parts.
    pub fn cancels(&self, join: &Join) -> TopicName {
        self.of_join(&join.name, "cancels")
    }

    /// The topic of a join's results.
    pub fn results(&self, join: &Join) -> TopicName {
        self.sink_topic(&join.into)
    }

    fn of_join(&self, join: &str, what: &str) -> TopicName {
        format!("{}.{join}.{what}", self.name).into()
    }

    fn sink_topic(&self, name: &str) -> TopicName {
        let sink: Option<&Sink> = self.sink(name);
        sink.map(|sink| sink.topic.clone())
            .expect("a checked pipeline names only sinks that it has")
    }
}

impl Source {
    /// The source's dead letters, of those who publish to it as of those who read it.
    pub fn dead_letters(&self) -> TopicName {
        dead_letters(&self.topic)
    }
}
