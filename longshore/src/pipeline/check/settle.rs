//! Gives every setting its value: what was written, if it is in bounds, or its default.
//!
//! Where something is missing a stand-in takes its place, so that all problems are found at once; a
//! pipeline with a stand-in in it never leaves the checks.

use std::time::Duration;

use longshore_coordinator::gather::{Rules, Tolerate};
use longshore_kafka::lane::start::StartPolicy;
use longshore_schemas::StageName;

use crate::pipeline::defaults;
use crate::pipeline::draft::{
    BackoffDraft, FanOutDraft, JoinDraft, PipelineDraft, SinkDraft, SourceDraft, StageDraft,
};
use crate::pipeline::names;
use crate::pipeline::place::{Place, Placed};
use crate::pipeline::problem::Findings;
use crate::pipeline::shape::{
    Backoff, Destination, FanOut, Join, Pipeline, Sink, Source, Stage, StageInput,
};

use super::wiring::SOURCE;

pub(super) fn pipeline(draft: &PipelineDraft, findings: &mut Findings) -> Pipeline {
    Settling { draft, findings }.pipeline()
}

struct Settling<'a> {
    draft: &'a PipelineDraft,
    findings: &'a mut Findings,
}

impl Settling<'_> {
    fn pipeline(&mut self) -> Pipeline {
        let draft = self.draft;
        self.findings.about("");
        let name = self.required(draft.name.as_ref(), draft.top, "pipeline: <name>");
        let partitions =
            self.at_least_one("partitions", draft.partitions.as_ref(), defaults::PARTITIONS);
        if draft.stages.is_empty() {
            self.findings.add(draft.top, "there is no stage; add one under `stages:`");
        }
        Pipeline {
            source: self.source(partitions),
            stages: draft.stages.iter().map(|each| self.stage(each, partitions)).collect(),
            joins: draft.joins.iter().map(|each| self.join(each, partitions)).collect(),
            sinks: draft.sinks.iter().map(|each| self.sink(each, partitions)).collect(),
            name,
        }
    }

    fn source(&mut self, partitions: u32) -> Source {
        self.findings.about("source");
        match &self.draft.source {
            Some(source) => self.source_of(&source.value, source.place, partitions),
            None => {
                self.no_source();
                Source {
                    topic: "".into(),
                    schema: String::new(),
                    key: None,
                    cursors: "".into(),
                    partitions,
                }
            }
        }
    }

    /// A source that is there but unreadable is a problem of its own.
    fn no_source(&mut self) {
        if !self.findings.tell_of("source") {
            let message = "`source` is missing; add `source: {topic: <topic>, schema: <item>}`";
            self.findings.about("").add(self.draft.top, message);
        }
    }

    fn source_of(&mut self, draft: &SourceDraft, place: Place, partitions: u32) -> Source {
        let topic = self.required(draft.topic.as_ref(), place, "topic: <topic>");
        Source {
            schema: self.required(draft.schema.as_ref(), place, "schema: <item>"),
            key: given(draft.key.as_ref()),
            cursors: match &draft.cursors {
                Some(cursors) => cursors.value.as_str().into(),
                None => names::cursors(&topic),
            },
            topic: topic.into(),
            partitions,
        }
    }

    fn stage(&mut self, (name, draft): &(Placed<String>, StageDraft), partitions: u32) -> Stage {
        self.findings.about(format!("stage `{}`", name.value));
        let commit_interval = self.positive(
            "commit_interval",
            draft.commit_interval.as_ref(),
            defaults::COMMIT_INTERVAL,
        );
        self.commits_in_time(draft);
        let from = self.required(draft.from.as_ref(), name.place, "from: source");
        Stage {
            name: name.value.as_str().into(),
            start: self.start(&from, draft),
            from: input(&from),
            handler: self.required(draft.handler.as_ref(), name.place, "handler: <name>"),
            to: self.destination(draft),
            fan_out: draft.fan_out.as_ref().map(|fan_out| self.fan_out(fan_out)),
            attempts: self.at_least_one("attempts", draft.attempts.as_ref(), defaults::ATTEMPTS),
            crashes_max: self.given_at_least_one("crashes_max", draft.crashes_max.as_ref()),
            item_timeout: self.positive(
                "item_timeout",
                draft.item_timeout.as_ref(),
                defaults::ITEM_TIMEOUT,
            ),
            backoff: self.backoff(draft.backoff.as_ref()),
            ordering: given(draft.ordering.as_ref()).unwrap_or(defaults::ORDERING),
            concurrency: self.at_least_one(
                "concurrency",
                draft.concurrency.as_ref(),
                defaults::CONCURRENCY,
            ),
            partitions: self.at_least_one("partitions", draft.partitions.as_ref(), partitions),
            commit_interval,
        }
    }

    /// A stage that reads the source begins where the source says, unless it says otherwise. One
    /// that reads a topic of the pipeline's own begins at its beginning: all of it is meant for it.
    fn start(&self, from: &str, draft: &StageDraft) -> Option<StartPolicy> {
        let source = self.draft.source.as_ref().map(|source| &source.value);
        let inherited = match from {
            SOURCE => source.and_then(|source| given(source.start.as_ref())),
            _ => Some(StartPolicy::Earliest),
        };
        given(draft.start.as_ref()).or(inherited)
    }

    fn destination(&self, draft: &StageDraft) -> Destination {
        match &draft.to {
            None => Destination::OwnTopic,
            Some(to) if self.draft.has_sink(&to.value) => Destination::Sink(to.value.clone()),
            Some(to) => Destination::Join(to.value.clone()),
        }
    }

    fn fan_out(&mut self, draft: &Placed<FanOutDraft>) -> FanOut {
        FanOut {
            parts: self.required(draft.value.parts.as_ref(), draft.place, "parts: <name>"),
            join: self.required(draft.value.join.as_ref(), draft.place, "join: <join>"),
        }
    }

    fn backoff(&mut self, draft: Option<&Placed<BackoffDraft>>) -> Backoff {
        let draft = draft.map(|draft| &draft.value);
        let initial = draft.and_then(|draft| draft.initial.as_ref());
        let max = draft.and_then(|draft| draft.max.as_ref());
        let backoff = Backoff {
            initial: self.positive("initial", initial, defaults::BACKOFF_INITIAL),
            max: self.positive("max", max, defaults::BACKOFF_MAX),
        };
        let place = max.or(initial).map(|value| value.place);
        if let Some(place) = place.filter(|_| backoff.max < backoff.initial) {
            let message = format!(
                "`backoff`: `max` ({}) is shorter than `initial` ({}); swap or raise it",
                humantime::format_duration(backoff.max),
                humantime::format_duration(backoff.initial)
            );
            self.findings.add(place, message);
        }
        backoff
    }

    fn commits_in_time(&mut self, draft: &StageDraft) {
        let longest = defaults::COMMIT_INTERVAL_MAX;
        let interval = draft.commit_interval.as_ref();
        if let Some(interval) = interval.filter(|interval| interval.value > longest) {
            let message = format!(
                "`commit_interval` must be at most {}, or transactions time out",
                humantime::format_duration(longest)
            );
            self.findings.add(interval.place, message);
        }
    }

    fn join(&mut self, (name, draft): &(Placed<String>, JoinDraft), partitions: u32) -> Join {
        self.findings.about(format!("join `{}`", name.value));
        Join {
            name: name.value.clone(),
            rules: self.rules(name, draft),
            gather: self.required(draft.gather.as_ref(), name.place, "gather: <name>"),
            attempts: self.at_least_one(
                "attempts",
                draft.attempts.as_ref(),
                defaults::GATHER_ATTEMPTS,
            ),
            crashes_max: self.given_at_least_one("crashes_max", draft.crashes_max.as_ref()),
            item_timeout: self.positive(
                "item_timeout",
                draft.item_timeout.as_ref(),
                defaults::GATHER_TIMEOUT,
            ),
            backoff: self.backoff(draft.backoff.as_ref()),
            into: self.required(draft.into.as_ref(), name.place, "into: <sink>"),
            partitions: self.at_least_one("partitions", draft.partitions.as_ref(), partitions),
        }
    }

    fn rules(&mut self, name: &Placed<String>, draft: &JoinDraft) -> Rules {
        let timeout = self.timeout(name, draft);
        let closed_retention = self.positive(
            "closed_retention",
            draft.closed_retention.as_ref(),
            defaults::CLOSED_RETENTION,
        );
        Rules {
            of: self.of(name, draft),
            when: given(draft.when.as_ref()).unwrap_or(defaults::WHEN),
            tolerate: tolerate(draft),
            timeout,
            on_failed: given(draft.on_failed.as_ref()).unwrap_or(defaults::ON_FAILED),
            on_timeout: given(draft.on_timeout.as_ref()).unwrap_or(defaults::ON_TIMEOUT),
            late: given(draft.late.as_ref()).unwrap_or(defaults::LATE),
            orphan_timeout: self.positive(
                "orphan_timeout",
                draft.orphan_timeout.as_ref(),
                defaults::ORPHAN_TIMEOUT,
            ),
            closed_retention,
            closed_marks_max: defaults::CLOSED_MARKS_MAX,
            parts_max: self.at_least_one(
                "parts_max",
                draft.parts_max.as_ref(),
                defaults::PARTS_MAX,
            ),
            open_bytes_max: self.open_bytes_max(draft),
            spill_bytes_max: draft
                .spill_bytes_max
                .as_ref()
                .map_or(defaults::SPILL_BYTES_MAX, |bytes| bytes.value.0),
            replay_max: self
                .at_least_one("replay_max", draft.replay_max.as_ref(), defaults::REPLAY_MAX)
                .into(),
            // Half of how long the inbox is made to be kept.
            replay_age_max: defaults::lifetime(timeout, closed_retention).max(defaults::RETENTION)
                / 2,
        }
    }

    fn open_bytes_max(&mut self, draft: &JoinDraft) -> usize {
        let least = defaults::OPEN_BYTES_LEAST;
        match &draft.open_bytes_max {
            Some(small) if small.value.0 < least => {
                let message = format!("`open_bytes_max` must be at least {}MiB", least >> 20);
                self.findings.add(small.place, message);
                defaults::OPEN_BYTES_MAX
            }
            given => given.as_ref().map_or(defaults::OPEN_BYTES_MAX, |bytes| bytes.value.0),
        }
    }

    fn of(&mut self, name: &Placed<String>, draft: &JoinDraft) -> Vec<StageName> {
        match &draft.of {
            None => self.missing(name.place, "of: [<stage>, ...]"),
            Some(of) if of.value.0.is_empty() => {
                self.findings.add(of.place, "`of` lists no stage; a join waits for at least one");
            }
            Some(_) => {}
        }
        let listed = draft.of.iter().flat_map(|of| of.value.0.iter());
        listed.map(|stage| stage.value.as_str().into()).collect()
    }

    fn timeout(&mut self, name: &Placed<String>, draft: &JoinDraft) -> Duration {
        if draft.timeout.is_none() {
            self.missing(name.place, "timeout: 10s");
        }
        self.positive("timeout", draft.timeout.as_ref(), Duration::from_secs(1))
    }

    fn sink(&mut self, (name, draft): &(Placed<String>, SinkDraft), partitions: u32) -> Sink {
        self.findings.about(format!("sink `{}`", name.value));
        Sink {
            name: name.value.clone(),
            topic: self.required(draft.topic.as_ref(), name.place, "topic: <topic>").into(),
            partitions: self.at_least_one("partitions", draft.partitions.as_ref(), partitions),
        }
    }

    fn required(
        &mut self,
        value: Option<&Placed<String>>,
        section: Place,
        example: &str,
    ) -> String {
        match value {
            Some(value) => value.value.clone(),
            None => {
                self.missing(section, example);
                String::new()
            }
        }
    }

    fn missing(&mut self, section: Place, example: &str) {
        let key = example.split(':').next().unwrap_or(example);
        if !self.findings.tell_of(key) {
            self.findings.add(section, format!("`{key}` is missing; add `{example}`"));
        }
    }

    fn at_least_one(&mut self, key: &str, value: Option<&Placed<u32>>, default: u32) -> u32 {
        self.given_at_least_one(key, value).unwrap_or(default)
    }

    fn given_at_least_one(&mut self, key: &str, value: Option<&Placed<u32>>) -> Option<u32> {
        match value {
            Some(zero) if zero.value == 0 => {
                self.findings.add(zero.place, format!("`{key}` must be at least 1"));
                None
            }
            value => given(value),
        }
    }

    fn positive(
        &mut self,
        key: &str,
        value: Option<&Placed<Duration>>,
        default: Duration,
    ) -> Duration {
        match value {
            Some(zero) if zero.value.is_zero() => {
                self.findings.add(zero.place, format!("`{key}` must be longer than zero"));
                default
            }
            value => given(value).unwrap_or(default),
        }
    }
}

fn tolerate(draft: &JoinDraft) -> Tolerate {
    let tolerate = draft.tolerate.as_ref().map(|tolerate| &tolerate.value);
    Tolerate {
        failed: given(tolerate.and_then(|tolerate| tolerate.failed.as_ref())),
        missing: given(tolerate.and_then(|tolerate| tolerate.missing.as_ref())),
    }
}

fn input(from: &str) -> StageInput {
    match from {
        SOURCE => StageInput::Source,
        stage => StageInput::Stage(stage.into()),
    }
}

fn given<T: Clone>(value: Option<&Placed<T>>) -> Option<T> {
    value.map(|value| value.value.clone())
}
