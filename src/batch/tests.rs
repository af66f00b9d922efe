use std::sync::Mutex;

use futures_util::future::join_all;

use super::*;

/// The requests of each batch that was run.
type RecordedBatches = Arc<Mutex<Vec<Vec<u32>>>>;

/// A batcher whose batches double their requests. Each batch takes one permit of `gate` before it answers. A batch that
/// contains 13 panics.
fn doubling_batcher(max_batch_size: usize, gate: &Arc<Semaphore>) -> (Batcher<u32, u32>, RecordedBatches) {
    let batches = RecordedBatches::default();
    let (recorded, gate) = (Arc::clone(&batches), Arc::clone(gate));
    let run_batch = move |requests: Vec<u32>| {
        recorded.lock().unwrap().push(requests.clone());
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            assert!(!requests.contains(&13), "13 breaks the batch");
            requests.into_iter().map(|request| 2 * request).collect()
        }
    };
    (Batcher::new(max_batch_size, run_batch), batches)
}

/// Adds a permit when it is dropped.
struct PermitOnDrop(Arc<Semaphore>);

impl Drop for PermitOnDrop {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

async fn submit_all(batcher: &Batcher<u32, u32>, requests: std::ops::Range<u32>) -> Vec<Option<u32>> {
    join_all(requests.map(|request| batcher.submit(request))).await
}

#[tokio::test(start_paused = true)]
async fn the_first_request_runs_at_once_and_the_following_ones_in_batches() {
    let gate = Arc::new(Semaphore::new(0));
    let (batcher, batches) = doubling_batcher(4, &gate);
    let first = tokio::spawn({
        let batcher = batcher.clone();
        async move { batcher.submit(100).await }
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(*batches.lock().unwrap(), [[100]], "a single request does not wait for others");

    gate.add_permits(3);
    let answers = submit_all(&batcher, 0..6).await;

    assert_eq!(first.await.unwrap(), Some(200));
    assert_eq!(answers, (0..6).map(|request| Some(2 * request)).collect::<Vec<_>>());
    assert_eq!(*batches.lock().unwrap(), [vec![100], vec![0, 1, 2, 3], vec![4, 5]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_is_not_run() {
    let gate = Arc::new(Semaphore::new(0));
    let (batcher, batches) = doubling_batcher(1, &gate);
    let in_one_second = Instant::now() + Duration::from_secs(1);
    let open_gate_after_two_seconds = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        gate.add_permits(MAX_CONCURRENT_BATCHES + 1);
    };
    let cancelled = async {
        let _ = tokio::time::timeout(Duration::from_secs(1), batcher.submit(30)).await;
    };
    let (first, too_late, without_deadline, ..) = tokio::join!(
        submit_all(&batcher, 0..4),
        deadline::with_deadline(in_one_second, batcher.submit(20)),
        batcher.submit(40),
        cancelled,
        open_gate_after_two_seconds,
    );

    assert_eq!((first, too_late, without_deadline), (vec![Some(0), Some(2), Some(4), Some(6)], None, Some(80)));
    assert_eq!(*batches.lock().unwrap(), [[0], [1], [2], [3], [40]]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_batch_does_not_hold_up_the_others() {
    let gates = [0, 100].map(|permits| Arc::new(Semaphore::new(permits)));
    let run_batch = move |requests: Vec<usize>| {
        let gate = Arc::clone(&gates[requests[0].min(1)]);
        async move {
            gate.acquire().await.unwrap().forget();
            requests
        }
    };
    let batcher = Batcher::new(1, run_batch);
    let start = Instant::now();
    let stuck = tokio::time::timeout(Duration::from_secs(9), batcher.submit(0));
    let others = async {
        let answers = join_all((1..100).map(|request| batcher.submit(request))).await;
        assert!(answers.into_iter().eq((1..100).map(Some)));
        assert_eq!(start.elapsed(), MAX_WAIT_FOR_PREVIOUS_BATCH, "only the first of them waited");
    };
    assert!(tokio::join!(stuck, others).0.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_read_only_batch_runs_until_its_last_caller_stops_waiting() {
    let (started, stopped) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&started), Arc::clone(&stopped));
    let batcher = Batcher::<u32, u32>::new_read_only(4, move |_| {
        let (started, stopped) = signals.clone();
        async move {
            let _permit = PermitOnDrop(stopped);
            started.add_permits(1);
            std::future::pending().await
        }
    });
    let wait_for = |seconds| {
        let batcher = batcher.clone();
        async move { tokio::time::timeout(Duration::from_secs(seconds), batcher.submit(1)).await }
    };
    let start = Instant::now();
    let answers = tokio::join!(wait_for(3), wait_for(1), wait_for(2), async {
        let stop = tokio::time::timeout(Duration::from_secs(60), stopped.acquire());
        stop.await.expect("the batch stops").unwrap().forget();
        assert_eq!(start.elapsed().as_secs(), 3);
    });
    assert!(answers.0.is_err());
    assert_eq!(started.available_permits(), 1, "one batch");
    let _ = wait_for(1).await;
    assert_eq!(started.available_permits(), 2, "the stopped batch has given its place back");
}

#[tokio::test]
async fn a_batch_that_panics_fails_no_other_batch() {
    let (batcher, _) = doubling_batcher(1, &Arc::new(Semaphore::new(100)));
    assert_eq!(submit_all(&batcher, 12..15).await, [Some(24), None, Some(28)]);
}
