//! The background work of the service. None of it may end before it is told to: the service would look healthy and, for example,
//! send no SMS.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that run until they are told to stop.
pub(super) struct BackgroundTasks {
    tasks: TaskTracker,
    failures: (mpsc::UnboundedSender<anyhow::Error>, mpsc::UnboundedReceiver<anyhow::Error>),
}

impl BackgroundTasks {
    pub(super) fn new() -> Self {
        Self { tasks: TaskTracker::new(), failures: mpsc::unbounded_channel() }
    }

    /// Starts a task. It fails if it returns an error, if it panics, or if it ends before `stop`.
    pub(super) fn spawn<E: Into<anyhow::Error>>(
        &self,
        name: &'static str,
        stop: CancellationToken,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let report = self.failures.0.clone();
        self.tasks.spawn(async move {
            let failure = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if stop.is_cancelled() => return,
                Ok(Ok(())) => anyhow!("{name} has ended, and was not told to"),
                Ok(Err(error)) => error.into(),
                Err(_) => anyhow!("{name} has panicked; the log says where"),
            };
            // Nobody listens any more while the process ends.
            let _ = report.send(failure);
        });
    }

    /// Waits for the first failure of a task.
    pub(super) async fn failure(&mut self) -> anyhow::Error {
        // `self` has a sender, so the channel stays open.
        self.failures.1.recv().await.unwrap_or_else(|| anyhow!("the background work has ended"))
    }

    /// Waits until every task has ended, at most for `limit`. Returns whether they have.
    pub(super) async fn have_ended_within(&self, limit: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_early_fails_or_panics_is_reported_and_one_that_is_stopped_is_not() {
        let stop = CancellationToken::new();
        let mut tasks = BackgroundTasks::new();
        tasks.spawn("sealing", stop.clone(), async { Ok::<_, Infallible>(()) });
        assert_eq!(tasks.failure().await.to_string(), "sealing has ended, and was not told to");
        tasks.spawn("sealing", stop.clone(), async { Err(anyhow!("no keys")) });
        assert_eq!(tasks.failure().await.to_string(), "no keys");
        tasks.spawn("sealing", stop.clone(), async {
            assert!(std::hint::black_box(false), "a value is missing");
            Ok::<_, Infallible>(())
        });
        assert_eq!(tasks.failure().await.to_string(), "sealing has panicked; the log says where");
        stop.cancel();
        tasks.spawn("sealing", stop.clone(), async { Ok::<_, Infallible>(()) });
        assert!(tasks.have_ended_within(Duration::from_secs(60)).await);
        assert!(tasks.failure().now_or_never().is_none());
    }
}
