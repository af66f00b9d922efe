//! What several tasks ask at the same moment is asked in one go, as a database commits in groups.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use crate::deadline;

/// Takes questions one by one and answers them in batches. Cheap to clone.
///
/// A question that comes while nothing is under way is asked at once. Those that come while a batch is under way wait, and
/// go together: fewer batches cost less. But a batch that takes long, because it waits for a lock say, does not hold up
/// the others.
pub struct Batcher<Q, A>(mpsc::UnboundedSender<PendingRequest<Q, A>>);

/// How long the next batch waits for the one before.
const MAX_WAIT_FOR_PREVIOUS_BATCH: Duration = Duration::from_millis(20);

/// Most batches at a time.
const MAX_CONCURRENT_BATCHES: usize = 4;

struct PendingRequest<Q, A> {
    question: Q,
    deadline: Option<Instant>,
    answer: oneshot::Sender<A>,
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// `work` answers up to `most` questions, one answer for each, in their order.
    ///
    /// Must be called within a runtime.
    pub fn new<F, W>(most: usize, work: F) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        Self::start(most, work, false)
    }

    /// The same for work that changes nothing: it is given up when nobody waits for any of its answers any more.
    pub fn new_read_only<F, W>(most: usize, work: F) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        Self::start(most, work, true)
    }

    fn start<F, W>(most: usize, work: F, reads: bool) -> Self
    where
        F: Fn(Vec<Q>) -> W + Send + 'static,
        W: Future<Output = Vec<A>> + Send + 'static,
    {
        let (sender, mut queue) = mpsc::unbounded_channel::<PendingRequest<Q, A>>();
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(MAX_CONCURRENT_BATCHES));
            let mut batch = Vec::new();
            while let Ok(place) = Arc::clone(&places).acquire_owned().await
                && queue.recv_many(&mut batch, most).await > 0
            {
                // As everywhere: what nobody waits for any more is not begun.
                batch.retain(|asked| !asked.answer.is_closed() && asked.deadline.is_none_or(|at| at > Instant::now()));
                let (questions, mut askers): (Vec<Q>, Vec<_>) =
                    batch.drain(..).map(|asked| (asked.question, asked.answer)).unzip();
                if questions.is_empty() {
                    continue;
                }
                let answers = work(questions);
                // In a task of its own: should the work panic, its askers get no answer, and the others do.
                let under_way = tokio::spawn(async move {
                    let answers = tokio::select! {
                        answers = answers => answers,
                        () = all_gone(&mut askers), if reads => Vec::new(),
                    };
                    drop(place);
                    for (asker, answer) in askers.into_iter().zip(answers) {
                        // Whoever has gone meanwhile does not hear it.
                        let _ = asker.send(answer);
                    }
                });
                let _ = tokio::time::timeout(MAX_WAIT_FOR_PREVIOUS_BATCH, under_way).await;
            }
        });
        Self(sender)
    }

    /// The answer. `None`: the call's deadline had passed before its turn, or the work broke; the caller can only say
    /// that it does not know.
    pub async fn submit(&self, question: Q) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.0.send(PendingRequest { question, deadline: deadline::current(), answer }).ok()?;
        answered.await.ok()
    }
}

async fn all_gone<A>(askers: &mut [oneshot::Sender<A>]) {
    for asker in askers {
        asker.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::join_all;

    use super::*;

    /// What was asked, batch by batch.
    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Doubles, keeps what it was asked, and waits for `gate` before it answers.
    fn doubling(most: usize, gate: &Arc<Semaphore>) -> (Batcher<u32, u32>, Batches) {
        let batches = Batches::default();
        let (kept, gate) = (Arc::clone(&batches), Arc::clone(gate));
        let work = move |questions: Vec<u32>| {
            kept.lock().unwrap().push(questions.clone());
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                assert!(!questions.contains(&13), "thirteen breaks it");
                questions.into_iter().map(|question| 2 * question).collect()
            }
        };
        (Batcher::new(most, work), batches)
    }

    /// Signals that the work is no more.
    struct Ends(Arc<Semaphore>);

    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }

    async fn ask_all(batcher: &Batcher<u32, u32>, questions: std::ops::Range<u32>) -> Vec<Option<u32>> {
        join_all(questions.map(|question| batcher.submit(question))).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_at_once_and_the_rest_together() {
        let gate = Arc::new(Semaphore::new(0));
        let (batcher, batches) = doubling(4, &gate);
        let first = tokio::spawn({
            let batcher = batcher.clone();
            async move { batcher.submit(100).await }
        });
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(*batches.lock().unwrap(), [[100]], "nobody waits for company");

        gate.add_permits(3);
        let answers = ask_all(&batcher, 0..6).await;

        assert_eq!(first.await.unwrap(), Some(200));
        assert_eq!(answers, (0..6).map(|question| Some(2 * question)).collect::<Vec<_>>());
        assert_eq!(*batches.lock().unwrap(), [vec![100], vec![0, 1, 2, 3], vec![4, 5]]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_is_not_begun() {
        let gate = Arc::new(Semaphore::new(0));
        let (batcher, batches) = doubling(1, &gate);
        let soon = Instant::now() + Duration::from_secs(1);
        let late = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            gate.add_permits(MAX_CONCURRENT_BATCHES + 1);
        };
        let gone = async {
            let _ = tokio::time::timeout(Duration::from_secs(1), batcher.submit(30)).await;
        };
        let (first, dead, patient, ..) = tokio::join!(
            ask_all(&batcher, 0..4),
            deadline::with_deadline(soon, batcher.submit(20)),
            batcher.submit(40),
            gone,
            late
        );

        assert_eq!((first, dead, patient), (vec![Some(0), Some(2), Some(4), Some(6)], None, Some(80)));
        assert_eq!(*batches.lock().unwrap(), [[0], [1], [2], [3], [40]]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_long_does_not_hold_up_the_others() {
        let gates = [0, 100].map(|permits| Arc::new(Semaphore::new(permits)));
        let work = move |questions: Vec<usize>| {
            let gate = Arc::clone(&gates[questions[0].min(1)]);
            async move {
                gate.acquire().await.unwrap().forget();
                questions
            }
        };
        let batcher = Batcher::new(1, work);
        let start = Instant::now();
        let stuck = tokio::time::timeout(Duration::from_secs(9), batcher.submit(0));
        let others = async {
            let answers = join_all((1..100).map(|question| batcher.submit(question))).await;
            assert!(answers.into_iter().eq((1..100).map(Some)));
            assert_eq!(start.elapsed(), MAX_WAIT_FOR_PREVIOUS_BATCH, "once");
        };
        assert!(tokio::join!(stuck, others).0.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_goes_on_until_the_last_has_gone() {
        let (begun, ended) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let signals = (Arc::clone(&begun), Arc::clone(&ended));
        let batcher = Batcher::<u32, u32>::new_read_only(4, move |_| {
            let (begun, ended) = signals.clone();
            async move {
                let _ends = Ends(ended);
                begun.add_permits(1);
                std::future::pending().await
            }
        });
        let ask = |seconds| {
            let batcher = batcher.clone();
            async move { tokio::time::timeout(Duration::from_secs(seconds), batcher.submit(1)).await }
        };
        let start = Instant::now();
        let asked = tokio::join!(ask(3), ask(1), ask(2), async {
            let ends = tokio::time::timeout(Duration::from_secs(60), ended.acquire());
            ends.await.expect("it is given up").unwrap().forget();
            assert_eq!(start.elapsed().as_secs(), 3);
        });
        assert!(asked.0.is_err());
        assert_eq!(begun.available_permits(), 1, "one batch");
        let _ = ask(1).await;
        assert_eq!(begun.available_permits(), 2, "its place is free again");
    }

    #[tokio::test]
    async fn a_batch_that_breaks_breaks_no_other() {
        let (batcher, _) = doubling(1, &Arc::new(Semaphore::new(100)));
        assert_eq!(ask_all(&batcher, 12..15).await, [Some(24), None, Some(28)]);
    }
}
