//! A handler whose type is forgotten: what layers wrap and what a worker calls.

use std::future::Future;
use std::pin::Pin;

use crate::{Context, Handler, HandlerError, Input, Outcome, Raw};

/// What comes of one attempt, once it is there.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Outcome, HandlerError>> + Send + 'a>>;

/// Makes one attempt at an item. Handlers are services, and so is each layer around them.
pub trait Service: Send + Sync + 'static {
    /// Begins an attempt. Dropping the answer ends it.
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a>;
}

/// A handler as a service: reads the input first.
pub(crate) struct Erased<H>(pub(crate) H);

impl<H: Handler> Service for Erased<H> {
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
        Box::pin(async move {
            let item = H::Item::read(input)?;
            self.0.handle(item, cx).await
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::class;
    use crate::samples::{self, Double, Line};

    #[tokio::test]
    async fn an_item_is_read_and_handled() {
        let value = samples::encoded(&Line { quantity: 4 });
        let cx = samples::context();
        let answer = Erased(Double).call(Raw::Record(Some(value)), &cx).await;
        assert_eq!(answer, Outcome::done(&Line { quantity: 8 }));
    }

    #[tokio::test]
    async fn an_item_that_does_not_read_fails_for_good_and_never_meets_the_handler() {
        struct Unreachable;
        impl Handler for Unreachable {
            type Item = Line;
            async fn handle(&self, _: Line, _: &Context) -> Result<Outcome, HandlerError> {
                panic!("the handler was called");
            }
        }
        let cx = samples::context();
        let value = Some(Bytes::from_static(b"not a line"));
        let error = Erased(Unreachable).call(Raw::Record(value), &cx).await.unwrap_err();
        assert_eq!((error.may_heal(), error.class()), (false, class::UNDECODABLE));
    }
}
