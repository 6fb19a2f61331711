//! A panic is a failed attempt: it ends neither the process nor the items beside it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;

use crate::{Answer, Context, HandlerError, Raw, Service, class};

/// Catches what a handler panics with.
pub(crate) struct CatchPanics {
    pub(crate) inner: Arc<dyn Service>,
}

impl Service for CatchPanics {
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
        // Of what the attempt held, only the handler itself is seen again, as in any server that
        // outlives a panic: a lock that it held is poisoned, a half-made value is not ours to see.
        let attempt = AssertUnwindSafe(async move { self.inner.call(input, cx).await });
        Box::pin(async move {
            let caught = attempt.catch_unwind().await;
            caught.unwrap_or_else(|panic| Err(failed(panic.as_ref())))
        })
    }
}

fn failed(panic: &(dyn Any + Send)) -> HandlerError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("the handler panicked without a message");
    HandlerError::transient(class::PANIC, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, samples};

    async fn caught(panics: impl Fn() + Send + Sync + 'static) -> HandlerError {
        let inner = samples::answering(move |_| {
            panics();
            Ok(Outcome::nothing())
        });
        let cx = samples::context();
        CatchPanics { inner }.call(Raw::Record(None), &cx).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_panic_is_a_failed_attempt_with_its_message() {
        let error = caught(|| panic!("no price")).await;
        assert_eq!(error, HandlerError::transient(class::PANIC, "no price"));
        let error = caught(|| panic!("no price for {}", "bolts")).await;
        assert_eq!(error.message(), "no price for bolts");
        let error = caught(|| std::panic::panic_any(7)).await;
        assert_eq!(error.message(), "the handler panicked without a message");
    }
}
