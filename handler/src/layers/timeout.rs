//! The bound on one attempt.

use std::time::Duration;

use crate::{HandlerError, Outcome, class};

/// Drops an attempt that takes too long.
pub(crate) struct Timeout {
    pub(crate) limit: Duration,
}

impl Timeout {
    pub(crate) async fn around(
        &self,
        attempt: impl Future<Output = Result<Outcome, HandlerError>>,
    ) -> Result<Outcome, HandlerError> {
        let answer = tokio::time::timeout(self.limit, attempt).await;
        answer.unwrap_or_else(|_| Err(self.passed()))
    }

    fn passed(&self) -> HandlerError {
        let message = format!("no answer within {:?}, the item's timeout", self.limit);
        HandlerError::transient(class::TIMEOUT, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_has_its_time_and_no_more() {
        let timeout = Timeout { limit: Duration::from_secs(10) };
        for (takes, answers) in [(9, true), (11, false)] {
            let attempt = async {
                tokio::time::sleep(Duration::from_secs(takes)).await;
                Ok(Outcome::nothing())
            };
            let answer = timeout.around(attempt).await;
            assert_eq!(answer.is_ok(), answers, "{takes} s");
            if let Err(error) = answer {
                assert!(error.may_heal());
                assert_eq!(error.to_string(), "no answer within 10s, the item's timeout (timeout)");
            }
        }
    }
}
