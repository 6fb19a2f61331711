//! Items, groups and services that the tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_schemas::records::{CompletedBy, Counts, GroupStatus, PartError, PartStatus};
use longshore_schemas::{Codec, Origin, PartId, Revision, WorkItem};
use serde::{Deserialize, Serialize};

use crate::{
    Answer, Context, Group, GroupPart, Handler, HandlerError, Outcome, Raw, Service, StackSettings,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) quantity: i64,
}

impl WorkItem for Line {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Line", "namespace": "samples",
        "fields": [{"name": "quantity", "type": "long"}]}"#;
}

pub(crate) fn encoded(line: &Line) -> Bytes {
    Codec::shared().unwrap().encode(line).unwrap()
}

pub(crate) fn context() -> Context {
    let origin: Origin = "lines/3/17/0".parse().unwrap();
    Context::new("price", origin)
}

pub(crate) fn settings() -> StackSettings {
    StackSettings {
        topic: "lines".into(),
        group: "orders.price".into(),
        item_timeout: Duration::from_secs(30),
    }
}

/// Three parts of the stage `price`: done, failed, done.
pub(crate) fn group() -> Group {
    let part = |id: u32, payload: Option<Bytes>| GroupPart {
        stage: "price".into(),
        part_id: PartId(id),
        status: match payload {
            Some(_) => PartStatus::Done,
            None => PartStatus::Failed,
        },
        error: payload.is_none().then(|| PartError::new("away", "refused")),
        payload,
    };
    Group {
        group_id: "orders/0/1".into(),
        revision: Revision::FIRST,
        run_id: None,
        status: GroupStatus::Partial,
        completed_by: CompletedBy::All,
        counts: Counts::default(),
        missing: Vec::new(),
        parts: vec![
            part(0, Some(encoded(&Line { quantity: 10 }))),
            part(1, None),
            part(2, Some(encoded(&Line { quantity: 12 }))),
        ],
    }
}

pub(crate) struct Double;

impl Handler for Double {
    type Item = Line;

    async fn handle(&self, line: Line, _: &Context) -> Result<Outcome, HandlerError> {
        Outcome::done(&Line { quantity: line.quantity * 2 })
    }
}

pub(crate) struct Settle;

impl Handler for Settle {
    type Item = Group;

    async fn handle(&self, _: Group, _: &Context) -> Result<Outcome, HandlerError> {
        Ok(Outcome::nothing())
    }
}

/// A service that answers by the number of the attempt.
pub(crate) fn answering<F>(answer: F) -> Arc<dyn Service>
where
    F: Fn(u32) -> Result<Outcome, HandlerError> + Send + Sync + 'static,
{
    struct Answering<F>(F);
    impl<F> Service for Answering<F>
    where
        F: Fn(u32) -> Result<Outcome, HandlerError> + Send + Sync + 'static,
    {
        fn call<'a>(&'a self, _: Raw, cx: &'a Context) -> Answer<'a> {
            Box::pin(async { (self.0)(cx.attempt) })
        }
    }
    Arc::new(Answering(answer))
}

/// A service that takes its time first.
pub(crate) fn slow(takes: Duration, inner: Arc<dyn Service>) -> Arc<dyn Service> {
    struct Slow(Duration, Arc<dyn Service>);
    impl Service for Slow {
        fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
            Box::pin(async move {
                tokio::time::sleep(self.0).await;
                self.1.call(input, cx).await
            })
        }
    }
    Arc::new(Slow(takes, inner))
}
