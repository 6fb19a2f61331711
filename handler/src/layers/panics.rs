//! A panic is a failed attempt: it ends neither the process nor the items beside it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::{HandlerError, Outcome, class};

/// Catches what an attempt panics with.
pub(crate) async fn catch_panics(
    attempt: impl Future<Output = Result<Outcome, HandlerError>>,
) -> Result<Outcome, HandlerError> {
    // Of what the attempt held, only the handler itself is seen again, as in any server that
    // outlives a panic: a lock that it held is poisoned, a half-made value is not ours to see.
    let caught = AssertUnwindSafe(attempt).catch_unwind().await;
    caught.unwrap_or_else(|panic| Err(failed(panic.as_ref())))
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

    async fn caught(panics: impl Fn()) -> HandlerError {
        let attempt = async {
            panics();
            Ok(Outcome::nothing())
        };
        catch_panics(attempt).await.unwrap_err()
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
