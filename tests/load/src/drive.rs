//! Makes prepared calls: at a fixed number in flight (closed loop), or at a fixed rate (open loop).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use made_up_world::indexed_people::IndexedPerson;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::calls::{Call, Caller, Failure, MakeCalls, Ready};

/// Calls that are prepared at a time.
const MAX_PREPARATIONS: usize = 64;

/// Longer latencies, in nanoseconds, count as this one.
const MAX_LATENCY_NS: u64 = 120_000_000_000;

/// The precision of recorded latencies.
const SIGNIFICANT_DIGITS: u8 = 3;

/// How fast calls are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A fixed number at any time: the next call starts when one has ended.
    InFlight(usize),
    /// A fixed number per second. Latency counts from the time when a call was due, so a stall shows in each call that it
    /// delays.
    PerSecond(f64),
}

/// The outcome of a run.
pub(crate) struct Measured {
    /// In nanoseconds, of the calls that succeeded.
    pub(crate) latencies: Histogram<u64>,
    /// The number of failed calls, by reason.
    pub(crate) failures: BTreeMap<Failure, u64>,
    pub(crate) start: Instant,
    pub(crate) elapsed: Duration,
}

struct Tally {
    latencies: Histogram<u64>,
    failures: BTreeMap<Failure, u64>,
}

/// Prepares calls.
pub(crate) async fn prepare(caller: &Arc<Caller>, calls: &[(Call, IndexedPerson)]) -> anyhow::Result<Vec<Ready>> {
    let (next, total) = (Arc::new(AtomicUsize::new(0)), calls.len());
    let calls: Arc<[(Call, IndexedPerson)]> = calls.into();
    let mut workers = JoinSet::new();
    for _ in 0..MAX_PREPARATIONS.min(total) {
        let (caller, next, calls) = (Arc::clone(caller), Arc::clone(&next), Arc::clone(&calls));
        workers.spawn(async move {
            let mut ready = Vec::new();
            while let Some((call, person)) = calls.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
                ready.push(caller.prepare(call, person).await?);
            }
            anyhow::Ok(ready)
        });
    }
    let mut ready = Vec::with_capacity(total);
    while let Some(worker) = workers.join_next().await {
        ready.extend(worker??);
    }
    Ok(ready)
}

/// Makes each call once. Passes `progress` the number of ended calls every second.
pub(crate) async fn run<M: MakeCalls>(
    caller: &Arc<M>,
    calls: Vec<M::Ready>,
    pace: Pace,
    progress: impl Fn(usize, usize) + Send + 'static,
) -> anyhow::Result<Measured> {
    let calls: Arc<[M::Ready]> = calls.into();
    let latencies = Histogram::new_with_bounds(1, MAX_LATENCY_NS, SIGNIFICANT_DIGITS)?;
    let tally = Arc::new(Mutex::new(Tally { latencies, failures: BTreeMap::new() }));
    let done = Arc::new(AtomicUsize::new(0));
    let reporter = tokio::spawn(report_progress(Arc::clone(&done), calls.len(), progress));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match pace {
        Pace::InFlight(count) => {
            let next = Arc::new(AtomicUsize::new(0));
            for _ in 0..count {
                let (caller, calls) = (Arc::clone(caller), Arc::clone(&calls));
                let (tally, done, next) = (Arc::clone(&tally), Arc::clone(&done), Arc::clone(&next));
                tasks.spawn(async move {
                    while let Some(call) = calls.get(next.fetch_add(1, Ordering::Relaxed)) {
                        make(caller.as_ref(), call, Instant::now(), &tally, &done).await;
                    }
                });
            }
        }
        Pace::PerSecond(rate) => {
            for index in 0..calls.len() {
                let due = start + Duration::from_secs_f64(index as f64 / rate);
                tokio::time::sleep_until(due).await;
                let (caller, calls) = (Arc::clone(caller), Arc::clone(&calls));
                let (tally, done) = (Arc::clone(&tally), Arc::clone(&done));
                tasks.spawn(async move { make(caller.as_ref(), &calls[index], due, &tally, &done).await });
            }
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    let elapsed = start.elapsed();
    reporter.abort();
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Measured { latencies: tally.latencies.clone(), failures: tally.failures.clone(), start, elapsed })
}

async fn make<M: MakeCalls>(caller: &M, call: &M::Ready, due: Instant, tally: &Mutex<Tally>, done: &AtomicUsize) {
    let outcome = caller.make(call).await;
    let nanoseconds = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Ok(()) => tally.latencies.saturating_record(nanoseconds),
        Err(failure) => *tally.failures.entry(failure).or_default() += 1,
    }
    done.fetch_add(1, Ordering::Relaxed);
}

async fn report_progress(done: Arc<AtomicUsize>, total: usize, progress: impl Fn(usize, usize)) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        progress(done.load(Ordering::Relaxed), total);
    }
}
