//! The bound on one attempt.

use std::sync::Arc;
use std::time::Duration;

use crate::{Answer, Context, HandlerError, Raw, Service, class};

/// Drops an attempt that takes too long.
pub(crate) struct Timeout {
    pub(crate) inner: Arc<dyn Service>,
    pub(crate) limit: Duration,
}

impl Service for Timeout {
    fn call<'a>(&'a self, input: Raw, cx: &'a Context) -> Answer<'a> {
        Box::pin(async move {
            let attempt = tokio::time::timeout(self.limit, self.inner.call(input, cx));
            attempt.await.unwrap_or_else(|_| Err(self.passed()))
        })
    }
}

impl Timeout {
    fn passed(&self) -> HandlerError {
        let message = format!("no answer within {:?}, the item's timeout", self.limit);
        HandlerError::transient(class::TIMEOUT, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, samples};

    #[tokio::test(start_paused = true)]
    async fn an_attempt_has_its_time_and_no_more() {
        let cx = samples::context();
        for (takes, answers) in [(9, true), (11, false)] {
            let inner = samples::answering(|_| Ok(Outcome::nothing()));
            let timeout = Timeout {
                inner: samples::slow(Duration::from_secs(takes), inner),
                limit: Duration::from_secs(10),
            };
            let answer = timeout.call(Raw::Record(None), &cx).await;
            assert_eq!(answer.is_ok(), answers, "{takes} s");
            if let Err(error) = answer {
                assert!(error.may_heal());
                assert_eq!(error.to_string(), "no answer within 10s, the item's timeout (timeout)");
            }
        }
    }
}
