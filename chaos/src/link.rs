//! One client's connection and the broker's behind it, which may outlive the client's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::counts::Counters;
use crate::{ApiKey, Then};

/// Requests of one connection without an answer. Those that want none stay among them until a later
/// one is answered.
const UNANSWERED_MAX: usize = 4_096;

/// What the two directions of a connection tell each other.
#[derive(Debug, Default)]
pub(crate) struct Link {
    client_gone: CancellationToken,
    ended: CancellationToken,
    is_reset: AtomicBool,
    is_holding: AtomicBool,
    unanswered: Mutex<VecDeque<Asked>>,
    answered: Notify,
}

/// A request that was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) correlation_id: i32,
    pub(crate) api_key: ApiKey,
    /// A trap kept it back until its client had gone.
    pub(crate) is_late: bool,
}

impl Link {
    /// The client's side is closed. What it sent before may still be passed on.
    pub(crate) fn client_gone(&self) -> &CancellationToken {
        &self.client_gone
    }

    /// Both sides are closed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(crate) fn end(&self) {
        self.client_gone.cancel();
        self.ended.cancel();
    }

    /// Closes the client's side on purpose.
    pub(crate) fn lose_client(&self, then: Then, counters: &Counters) {
        if then == Then::Stay || self.client_gone.is_cancelled() {
            return;
        }
        if then == Then::Reset {
            self.is_reset.store(true, Ordering::Release);
            counters.reset.add();
        } else {
            counters.cut.add();
        }
        self.client_gone.cancel();
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.is_reset.load(Ordering::Acquire)
    }

    /// Whether a request is kept back.
    pub(crate) fn is_holding(&self) -> bool {
        self.is_holding.load(Ordering::Acquire)
    }

    pub(crate) fn set_holding(&self, is_holding: bool) {
        self.is_holding.store(is_holding, Ordering::Release);
    }

    /// A request is passed on.
    pub(crate) fn asked(&self, request: Asked) {
        let mut unanswered = self.unanswered();
        if unanswered.len() >= UNANSWERED_MAX {
            unanswered.pop_front();
        }
        unanswered.push_back(request);
    }

    /// An answer comes: of which request. A broker answers in order, so what was asked before wants
    /// no answer.
    pub(crate) fn answered(&self, correlation_id: i32) -> Option<Asked> {
        let mut unanswered = self.unanswered();
        let at = unanswered.iter().position(|it| it.correlation_id == correlation_id)?;
        let found = unanswered.drain(..=at).next_back();
        if unanswered.is_empty() {
            self.answered.notify_waiters();
        }
        found
    }

    /// Waits until everything is answered.
    pub(crate) async fn all_answered(&self) {
        loop {
            // Registered before the look, or the last answer could fall between the two.
            let answered = self.answered.notified();
            if self.unanswered().is_empty() {
                return;
            }
            answered.await;
        }
    }

    fn unanswered(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(correlation_id: i32, key: i16) -> Asked {
        Asked { correlation_id, api_key: ApiKey(key), is_late: false }
    }

    #[test]
    fn an_answer_finds_its_request_and_passes_those_that_want_none() {
        let link = Link::default();
        for (id, key) in [(1, 0), (2, 0), (3, 26), (4, 28)] {
            link.asked(request(id, key));
        }
        assert_eq!(link.answered(3), Some(request(3, 26)));
        assert_eq!(link.answered(2), None, "it is answered for");
        assert_eq!(link.answered(4), Some(request(4, 28)));
        assert_eq!(link.answered(9), None);
    }

    #[test]
    fn requests_that_nobody_answers_are_forgotten_in_the_end() {
        let link = Link::default();
        for id in 0..i32::try_from(UNANSWERED_MAX + 10).expect("a number") {
            link.asked(request(id, 0));
        }
        assert_eq!(link.unanswered().len(), UNANSWERED_MAX);
        assert_eq!(link.answered(9), None);
        assert_eq!(link.answered(10), Some(request(10, 0)));
    }
}
