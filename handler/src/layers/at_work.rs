//! Whatever is logged within an attempt says which item it is about.
//!
//! A span of `tracing` would have its fields written out for every attempt, whether anything is
//! logged or not: that was more than a third of all the work on an item that a handler passes on at
//! once. So the item is only known to be at work while its attempt is polled, and who writes a line
//! asks for it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use scoped_tls::scoped_thread_local;

use crate::{Context, HandlerError, Outcome};

scoped_thread_local!(static GROUP: String);
scoped_thread_local!(static ITEM: Context);

/// Tells of the item that is being worked on here, if any: the consumer group that reads it, and
/// what its handler knows of it.
pub fn at_work(tell: impl FnOnce(&str, &Context)) {
    if GROUP.is_set() && ITEM.is_set() {
        GROUP.with(|group| ITEM.with(|item| tell(group, item)));
    }
}

/// Makes the item of an attempt known.
pub(crate) struct AtWork {
    pub(crate) group: String,
}

impl AtWork {
    pub(crate) async fn around(
        &self,
        cx: &Context,
        attempt: impl Future<Output = Result<Outcome, HandlerError>>,
    ) -> Result<Outcome, HandlerError> {
        let mut attempt = pin!(attempt);
        poll_fn(|task| {
            GROUP.set(&self.group, || {
                ITEM.set(cx, || {
                    let polled = attempt.as_mut().poll(task);
                    if let Poll::Ready(Err(error)) = &polled {
                        tracing::debug!(
                            error.type = error.class(),
                            error = error.message(),
                            "attempt failed"
                        );
                    }
                    polled
                })
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::samples;

    fn seen() -> Option<(String, i64)> {
        let mut seen = None;
        at_work(|group, cx| seen = Some((group.to_owned(), cx.origin.offset)));
        seen
    }

    #[tokio::test]
    async fn an_attempt_that_fails_says_of_what() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(File::create(&log).expect("a file"))
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let layer = AtWork { group: "orders.price".into() };
        let attempt = async { Err(HandlerError::transient("away", "refused")) };
        assert!(layer.around(&samples::context(), attempt).await.is_err());
        drop(guard);
        let text = fs::read_to_string(&log).expect("the log");
        for field in ["attempt failed", r#"error.type="away""#, r#"error="refused""#] {
            assert!(text.contains(field), "no {field} in {text}");
        }
    }

    #[tokio::test]
    async fn an_item_is_at_work_while_its_attempt_is_polled() {
        let layer = AtWork { group: "orders.price".into() };
        let cx = samples::context();
        let (pause, paused) = tokio::sync::oneshot::channel();
        let attempt = async {
            let before = seen();
            paused.await.expect("it goes on");
            assert_eq!(seen(), before);
            Err(HandlerError::transient("away", format!("{before:?}")))
        };
        let mut attempt = pin!(layer.around(&cx, attempt));
        assert!(futures::poll!(attempt.as_mut()).is_pending());
        assert_eq!(seen(), None, "others may be at work on this thread");
        pause.send(()).expect("it waits");
        let error = attempt.await.expect_err("it fails");
        assert_eq!(error.message(), r#"Some(("orders.price", 17))"#);
        assert_eq!(seen(), None);
    }
}
