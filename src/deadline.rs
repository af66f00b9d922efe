//! The deadline of a call: the time until which its caller waits. It bounds all work that is done for the call.
//!
//! - Work that changes nothing (look-ups, reads, waiting for a connection) ends at the deadline.
//! - Work that changes something does not start after the deadline. Once started, it runs to its end within its own
//!   time-out, so that its outcome is known.
//! - Work that must follow such a change (a refund, the result of a counted try) ignores the deadline:
//!   `without_deadline`.
//!
//! The deadline is task-local, like the tracing span, because it does not change what is done, only until when.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Option<Instant>;
}

/// Runs `work` for a caller who waits until `deadline`.
pub async fn with_deadline<T>(deadline: Instant, work: impl Future<Output = T>) -> T {
    DEADLINE.scope(Some(deadline), work).await
}

/// Runs `work` without a deadline. Its own time-outs still bound it.
pub(crate) async fn without_deadline<T>(work: impl Future<Output = T>) -> T {
    DEADLINE.scope(None, work).await
}

/// Gives `work` the deadline of the current task, so that it can be spawned as another task.
pub(crate) fn inherit_deadline<F: Future>(work: F) -> impl Future<Output = F::Output> {
    DEADLINE.scope(current(), work)
}

/// `limit`, or the time until the deadline if that is shorter.
pub(crate) fn time_left(limit: Duration) -> Duration {
    current().map_or(limit, |deadline| limit.min(deadline.saturating_duration_since(Instant::now())))
}

/// Whether the deadline has passed.
pub(crate) fn has_passed() -> bool {
    current().is_some_and(|deadline| deadline <= Instant::now())
}

/// The deadline of the current task. `None`: there is no caller who waits.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_time_left_is_the_shorter_of_limit_and_deadline() {
        assert_eq!(time_left(SECOND), SECOND, "there is no deadline");
        with_deadline(Instant::now() + 3 * SECOND, async {
            assert_eq!(time_left(SECOND), SECOND);
            assert_eq!(time_left(5 * SECOND), 3 * SECOND);
            tokio::time::advance(2 * SECOND).await;
            assert_eq!((time_left(5 * SECOND), has_passed()), (SECOND, false));
            tokio::time::advance(2 * SECOND).await;
            assert_eq!((time_left(5 * SECOND), has_passed()), (Duration::ZERO, true));
            assert_eq!(without_deadline(async { (time_left(SECOND), has_passed()) }).await, (SECOND, false));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_spawned_task_has_no_deadline_unless_it_inherits_one() {
        let (plain, inherited) = with_deadline(Instant::now(), async {
            let plain = tokio::spawn(async { has_passed() });
            let inherited = tokio::spawn(inherit_deadline(async { has_passed() }));
            (plain.await.unwrap(), inherited.await.unwrap())
        })
        .await;
        assert_eq!((plain, inherited), (false, true));
    }
}
