//! A pipeline: the file it is written in, the checks it must pass, and the topics it needs.
//!
//! A file and Rust code are two ways to the same [`PipelineDraft`]; [`PipelineDraft::build`]
//! checks it and makes a [`Pipeline`], which can't be wrong any more; [`Pipeline::plan`] says what
//! it needs on a broker.

mod defaults;
mod place;
mod problem;
mod settings;

mod draft;
mod file;

mod check;
mod names;
mod parts;
mod shape;

mod plan;

pub use longshore_coordinator::gather::{
    OnFailed, OnLate, OnTimeout, Share, Tolerance, Tolerate, When,
};
pub use longshore_kafka::lane::config::Ordering;
pub use longshore_kafka::lane::start::StartPolicy;

pub use check::{KnownHandler, KnownItem, Registered};
pub use draft::{
    BackoffDraft, FanOutDraft, JoinDraft, NameList, PipelineDraft, SinkDraft, SourceDraft,
    StageDraft, TolerateDraft,
};
pub use file::{LoadError, load, read};
pub use place::Place;
pub use plan::{
    Access, Demand, Differences, ExistingTopic, JoinBounds, Owner, Plan, Role, TopicPlan,
    TopicSetting, WrongTopic,
};
pub use problem::{Problem, Problems};
pub use shape::{Backoff, Destination, FanOut, Join, Pipeline, Sink, Source, Stage, StageInput};

#[cfg(test)]
mod tests;
