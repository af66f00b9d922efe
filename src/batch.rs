//! Groups concurrent requests into batches, like a database's group commit.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::deadline;

#[cfg(test)]
mod tests;

/// Takes requests one by one and answers them in batches. Cheap to clone.
///
/// If no batch is running, a request starts a batch of its own at once. Requests that arrive while a batch runs wait for it
/// and then form the next batch, because few large batches cost less than many small ones. A slow batch, for example one
/// that waits for a lock, delays the next batch by at most [`MAX_WAIT_FOR_PREVIOUS_BATCH`].
pub struct Batcher<Q, A>(mpsc::UnboundedSender<PendingRequest<Q, A>>);

/// How long the next batch waits for the previous one, so that it collects more requests.
const MAX_WAIT_FOR_PREVIOUS_BATCH: Duration = Duration::from_millis(20);

/// How many batches of one batcher run at the same time.
const MAX_CONCURRENT_BATCHES: usize = 4;

struct PendingRequest<Q, A> {
    request: Q,
    deadline: Option<Instant>,
    answer_to: oneshot::Sender<A>,
}

impl<Q, A> PendingRequest<Q, A> {
    fn is_awaited(&self) -> bool {
        !self.answer_to.is_closed() && self.deadline.is_none_or(|deadline| deadline > Instant::now())
    }
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts a batcher. `run_batch` gets at most `max_batch_size` requests and returns one answer for each, in the same order.
    ///
    /// Must be called within a runtime.
    pub fn new<F, W>(max_batch_size: usize, run_batch: F) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        Self::start(max_batch_size, run_batch, false)
    }

    /// Like [`Self::new`], for batches that change nothing: a batch stops as soon as no request waits for its answers.
    pub fn new_read_only<F, W>(max_batch_size: usize, run_batch: F) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        Self::start(max_batch_size, run_batch, true)
    }

    fn start<F, W>(max_batch_size: usize, run_batch: F, is_read_only: bool) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        let (sender, mut queue) = mpsc::unbounded_channel::<PendingRequest<Q, A>>();
        tokio::spawn(async move {
            let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_BATCHES));
            let mut pending = Vec::new();
            while let Ok(permit) = Arc::clone(&permits).acquire_owned().await
                && queue.recv_many(&mut pending, max_batch_size).await > 0
            {
                // If no request waits any more, the work is not started.
                pending.retain(PendingRequest::is_awaited);
                let (requests, mut receivers): (Vec<Q>, Vec<_>) =
                    pending.drain(..).map(|pending| (pending.request, pending.answer_to)).unzip();
                if requests.is_empty() {
                    continue;
                }
                let answers = run_batch(requests);
                // Its own task: a panic fails only this batch.
                let batch = tokio::spawn(async move {
                    let answers = tokio::select! {
                        answers = answers => answers,
                        () = all_closed(&mut receivers), if is_read_only => Vec::new(),
                    };
                    drop(permit);
                    for (receiver, answer) in receivers.into_iter().zip(answers) {
                        // Fails only if the caller has stopped waiting.
                        let _ = receiver.send(answer);
                    }
                });
                let _ = tokio::time::timeout(MAX_WAIT_FOR_PREVIOUS_BATCH, batch).await;
            }
        });
        Self(sender)
    }

    /// Waits for the answer to `request`. `None` if the call's deadline passed before the batch started, or if the batch
    /// panicked: then it is not known what was done.
    pub async fn submit(&self, request: Q) -> Option<A> {
        let (answer_to, answer) = oneshot::channel();
        self.0.send(PendingRequest { request, deadline: deadline::current(), answer_to }).ok()?;
        answer.await.ok()
    }
}

async fn all_closed<A>(receivers: &mut [oneshot::Sender<A>]) {
    for receiver in receivers {
        receiver.closed().await;
    }
}
