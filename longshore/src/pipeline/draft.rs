//! A pipeline as it was written, in a file or in Rust: unchecked, each value with its place.

use std::time::Duration;

use longshore_coordinator::gather::{OnFailed, OnLate, OnTimeout, Tolerance, When};
use longshore_kafka::lane::config::Ordering;
use longshore_kafka::lane::start::StartPolicy;

use super::place::{Place, Placed};
use super::settings::Bytes;

/// The type in which Rust code gives a value: the value's own, or one that turns into it.
macro_rules! given {
    ($type:ty) => {
        $type
    };
    ($type:ty, $given:ty) => {
        $given
    };
}

/// Declares a section of the pipeline: its keys are the fields, in the file as in Rust.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$key_doc:meta])* $key:ident: $type:ty $(=> $given:ty)?,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $(pub(super) $key: Option<Placed<$type>>,)*
        }

        impl $name {
            /// The section with nothing set.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$key_doc])*
                #[must_use]
                pub fn $key(mut self, value: given!($type $(, $given)?)) -> Self {
                    self.$key = Some(Placed::in_code(value.into()));
                    self
                }
            )*
        }

        impl super::file::FromNode for $name {
            fn from_node(
                node: &super::file::Node,
                key: &str,
                findings: &mut super::problem::Findings,
            ) -> Option<Self> {
                let keys = [$(stringify!($key)),*];
                let section = super::file::Section::open(node, key, &keys, findings)?;
                Some(Self { $($key: section.value(stringify!($key), findings),)* })
            }
        }
    };
}

section! {
    /// Where work items come from.
    SourceDraft {
        /// The topic that producers publish to.
        topic: String => &str,
        /// The name under which the items' type was registered.
        schema: String => &str,
        /// The field of an item that is its key; without it items have no order.
        key: String => &str,
        /// Where stages that read the source begin at their very first start.
        start: StartPolicy,
        /// The topic of the producers' cursors, `<topic>.cursors` by default.
        cursors: String => &str,
    }
}

section! {
    /// A stage: one handler between its input and its output.
    StageDraft {
        /// Where its items come from: `source`, or a stage.
        from: String => &str,
        /// The name under which its handler was registered.
        handler: String => &str,
        /// The join or sink it writes to, its own topic `<pipeline>.<stage>` by default.
        to: String => &str,
        /// Makes one item into a group of parts.
        fan_out: FanOutDraft,
        /// Attempts at an item before it is dead-lettered.
        attempts: u32,
        /// How often an item may kill its process while nothing else is at work in it, before it is
        /// dead-lettered. Without it deaths aren't counted, and it is tried for ever.
        crashes_max: u32,
        /// The time one attempt may take.
        item_timeout: Duration,
        /// The wait between attempts.
        backoff: BackoffDraft,
        /// Which items wait for one another.
        ordering: Ordering,
        /// Handlers at work at once in a lane.
        concurrency: u32,
        /// Partitions of its own topic.
        partitions: u32,
        /// Where it begins at its very first start.
        start: StartPolicy,
        /// The age at which its transactions are committed.
        commit_interval: Duration,
    }
}

section! {
    /// How a stage makes one item into a group of parts.
    FanOutDraft {
        /// What the parts are called where people read of them.
        parts: String => &str,
        /// The join that gathers them.
        join: String => &str,
    }
}

section! {
    /// The wait between attempts: it doubles from `initial` up to `max`. A stage waits for any part
    /// of it, so that items which failed together don't come back together; a join for all of it.
    BackoffDraft {
        /// The first wait.
        initial: Duration,
        /// The longest wait.
        max: Duration,
    }
}

section! {
    /// A join: gathers the outcomes of a group's parts into one result.
    JoinDraft {
        /// The stages whose outcomes it gathers.
        of: NameList => impl Into<NameList>,
        /// The rule by which a group is complete. `all_done` and `all_ended` are two names of one
        /// rule; see [`When`].
        when: When,
        /// How many parts may fail or be missing.
        tolerate: TolerateDraft,
        /// The longest wait for a group's parts. Has no default: only its user knows.
        timeout: Duration,
        /// What a failed part does to its group.
        on_failed: OnFailed,
        /// What becomes of a group whose deadline has come.
        on_timeout: OnTimeout,
        /// Where parts go that come after their group has closed.
        late: OnLate,
        /// How long a part of an unknown group is kept.
        orphan_timeout: Duration,
        /// How long a closed group is remembered.
        closed_retention: Duration,
        /// The most parts that a group may have.
        parts_max: u32,
        /// What the open groups of one partition of its inbox may take in memory, in bytes; in the
        /// file a size such as `256MiB`. Beyond it payloads go to a temporary file.
        open_bytes_max: Bytes => usize,
        /// What they may take in that file, in bytes; with `0B` there is none. Beyond it the join
        /// waits for gathers at work, and stops with an error if there are none.
        spill_bytes_max: Bytes => usize,
        /// The inbox records of one partition that a restart should have to replay; beyond it old
        /// groups are carried into the journal.
        replay_max: u32,
        /// The name under which the handler was registered that makes parts into a result.
        gather: String => &str,
        /// Attempts at a gather before the group's result is FAILED.
        attempts: u32,
        /// How often a gather may kill its process while nothing else is at work in it, before the
        /// group's result is FAILED. Without it deaths aren't counted, and it is tried for ever.
        crashes_max: u32,
        /// The time one attempt at a gather may take. How long parts are waited for says `timeout`.
        item_timeout: Duration,
        /// The wait between attempts at a gather.
        backoff: BackoffDraft,
        /// The sink of the results.
        into: String => &str,
        /// Partitions of its inbox.
        partitions: u32,
    }
}

section! {
    /// How many parts of a group may fail or be missing before its result is a failure.
    TolerateDraft {
        /// Failed parts.
        failed: Tolerance,
        /// Missing parts.
        missing: Tolerance,
    }
}

section! {
    /// Where results leave the pipeline.
    SinkDraft {
        /// The topic.
        topic: String => &str,
        /// Its partitions, if it doesn't exist yet.
        partitions: u32,
    }
}

/// A list of names, each with its place.
#[derive(Clone, Debug, Default)]
pub struct NameList(pub(super) Vec<Placed<String>>);

impl<const N: usize> From<[&str; N]> for NameList {
    fn from(names: [&str; N]) -> Self {
        Self(names.iter().map(|name| Placed::in_code((*name).to_owned())).collect())
    }
}

/// Sections that go by names, in the order in which they were written.
pub(super) type Named<T> = Vec<(Placed<String>, T)>;

/// A whole pipeline as it was written. In Rust:
/// ```
/// # use longshore::pipeline::{PipelineDraft, SinkDraft, SourceDraft, StageDraft};
/// let draft = PipelineDraft::new("greetings")
///     .source(SourceDraft::new().topic("names").schema("Name"))
///     .stage("greet", StageDraft::new().from("source").handler("greet").to("greeted"))
///     .sink("greeted", SinkDraft::new().topic("greetings"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct PipelineDraft {
    pub(super) origin: String,
    pub(super) top: Place,
    pub(super) name: Option<Placed<String>>,
    pub(super) partitions: Option<Placed<u32>>,
    pub(super) source: Option<Placed<SourceDraft>>,
    pub(super) stages: Named<StageDraft>,
    pub(super) joins: Named<JoinDraft>,
    pub(super) sinks: Named<SinkDraft>,
}

impl PipelineDraft {
    /// A pipeline with a name, and nothing in it yet.
    pub fn new(name: &str) -> Self {
        let named = Some(Placed::in_code(name.to_owned()));
        Self { origin: format!("pipeline {name}"), name: named, ..Self::default() }
    }

    /// Partitions of each of its topics that doesn't say otherwise.
    #[must_use]
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(Placed::in_code(partitions));
        self
    }

    /// Where its work items come from.
    #[must_use]
    pub fn source(mut self, source: SourceDraft) -> Self {
        self.source = Some(Placed::in_code(source));
        self
    }

    /// Adds a stage.
    #[must_use]
    pub fn stage(mut self, name: &str, stage: StageDraft) -> Self {
        self.stages.push((Placed::in_code(name.to_owned()), stage));
        self
    }

    /// Adds a join.
    #[must_use]
    pub fn join(mut self, name: &str, join: JoinDraft) -> Self {
        self.joins.push((Placed::in_code(name.to_owned()), join));
        self
    }

    /// Adds a sink.
    #[must_use]
    pub fn sink(mut self, name: &str, sink: SinkDraft) -> Self {
        self.sinks.push((Placed::in_code(name.to_owned()), sink));
        self
    }

    /// The stage of this name.
    pub(super) fn stage_named(&self, name: &str) -> Option<&StageDraft> {
        named(&self.stages, name)
    }

    /// The join of this name.
    pub(super) fn join_named(&self, name: &str) -> Option<&JoinDraft> {
        named(&self.joins, name)
    }

    /// Whether there is a sink of this name.
    pub(super) fn has_sink(&self, name: &str) -> bool {
        named(&self.sinks, name).is_some()
    }
}

fn named<'a, T>(sections: &'a Named<T>, name: &str) -> Option<&'a T> {
    sections.iter().find(|(own, _)| own.value == name).map(|(_, section)| section)
}

/// The names of sections, in their order.
pub(super) fn names<T>(sections: &Named<T>) -> impl Iterator<Item = &str> {
    sections.iter().map(|(name, _)| name.value.as_str())
}

/// The text of a value that may not be there.
pub(super) fn text(value: Option<&Placed<String>>) -> &str {
    value.map_or("", |value| value.value.as_str())
}
