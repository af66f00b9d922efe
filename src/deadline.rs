//! The moment at which a call's caller ceases to wait. It bounds everything that is done for the call.
//!
//! What changes nothing (look-ups, reads, waiting for a connection) ends with the deadline. What changes something is not
//! begun after it; once begun it runs to its end, within its own time-out, so that what was done is known. What must
//! follow it (giving back a spend, concluding a counted try) is done whatever the time: `without_deadline`.
//!
//! The deadline goes along with the task, as the tracing span does: it says nothing about what is done, only until when.

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

/// Runs `work` without a deadline: within its own time-outs.
pub(crate) async fn without_deadline<T>(work: impl Future<Output = T>) -> T {
    DEADLINE.scope(None, work).await
}

/// `work` with the deadline of the present task, for a task of its own.
pub(crate) fn inherit_deadline<F: Future>(work: F) -> impl Future<Output = F::Output> {
    DEADLINE.scope(current(), work)
}

/// `limit`, or what is left of the caller's time where that is less.
pub(crate) fn time_left(limit: Duration) -> Duration {
    current().map_or(limit, |deadline| limit.min(deadline.saturating_duration_since(Instant::now())))
}

/// Whether the caller has ceased to wait.
pub(crate) fn has_passed() -> bool {
    current().is_some_and(|deadline| deadline <= Instant::now())
}

/// When the caller ceases to wait, if ever.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_the_least_of_both() {
        assert_eq!(time_left(SECOND), SECOND, "no caller, no deadline");
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
    async fn a_task_of_its_own_has_none_unless_it_is_carried_there() {
        let (own, carried_along) = with_deadline(Instant::now(), async {
            let own = tokio::spawn(async { has_passed() });
            let along = tokio::spawn(inherit_deadline(async { has_passed() }));
            (own.await.unwrap(), along.await.unwrap())
        })
        .await;
        assert_eq!((own, carried_along), (false, true));
    }
}
