//! One call at a time per person, within this process.
//!
//! A limit is spent in Redis before its row is committed in Postgres. Without turns, concurrent calls for one person would
//! see what the others have spent and not yet used, and would be refused for a limit that no row has reached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Refusal;
use crate::deadline;
use crate::domain::person::PersonKey;

/// How many calls of one person run and wait at most. Waiting calls hold call permits, which other persons need.
const MAX_CALLS_PER_PERSON: usize = 32;

/// The queues of the persons for whom a call is under way. Cheap to clone: all clones share the queues.
#[derive(Clone, Default)]
pub struct PersonTurns {
    queues: Arc<Mutex<HashMap<PersonKey, Queue>>>,
}

/// The turn of one call. The next call of the same person waits until it is dropped.
#[must_use = "the turn ends when it is dropped"]
pub(super) struct PersonTurn {
    // Dropped in this order: the next call can begin before this one leaves the queue.
    _turn: tokio::sync::OwnedMutexGuard<()>,
    _membership: Membership,
}

/// The calls of one person: the one that has its turn, and those that wait.
#[derive(Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    calls: usize,
}

/// Counts one call in its queue, and removes the queue with the last call.
struct Membership {
    turns: PersonTurns,
    person: PersonKey,
}

impl PersonTurns {
    /// Waits for the turn of this call: first come, first served. Fails when the call's deadline passes first, and at once when
    /// [`MAX_CALLS_PER_PERSON`] calls of the person are there already.
    pub(super) async fn take(&self, person: PersonKey) -> Result<PersonTurn, Refusal> {
        let (membership, turn) = self.join_queue(person).ok_or(Refusal::Busy)?;
        let turn = turn.lock_owned();
        let turn = match deadline::current() {
            Some(deadline) => tokio::time::timeout_at(deadline, turn).await.map_err(|_| Refusal::Abandoned)?,
            None => turn.await,
        };
        Ok(PersonTurn { _turn: turn, _membership: membership })
    }

    /// `None`: the queue is full.
    fn join_queue(&self, person: PersonKey) -> Option<(Membership, Arc<tokio::sync::Mutex<()>>)> {
        let mut queues = self.lock_queues();
        let queue = queues.entry(person).or_default();
        if queue.calls >= MAX_CALLS_PER_PERSON {
            return None;
        }
        queue.calls += 1;
        Some((Membership { turns: self.clone(), person }, Arc::clone(&queue.turn)))
    }

    fn lock_queues(&self) -> MutexGuard<'_, HashMap<PersonKey, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut queues = self.turns.lock_queues();
        if let Some(queue) = queues.get_mut(&self.person) {
            queue.calls -= 1;
            if queue.calls == 0 {
                queues.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    const ONE: PersonKey = PersonKey([1; 32]);
    const OTHER: PersonKey = PersonKey([2; 32]);
    const SECOND: Duration = Duration::from_secs(1);

    async fn take_for(turns: &PersonTurns, person: PersonKey, time: Duration) -> Result<(), Refusal> {
        let _turn = turns.take(person).await?;
        tokio::time::sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_one_person_run_one_after_another_and_persons_side_by_side() {
        let turns = PersonTurns::default();
        let start = Instant::now();
        let all = (0..4).flat_map(|_| [ONE, OTHER]).map(|person| take_for(&turns, person, SECOND));
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        assert_eq!(start.elapsed(), 4 * SECOND);
        assert!(turns.lock_queues().is_empty(), "nothing is kept of calls that are over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_too_many_of_one_person_is_busy_at_once_and_other_persons_are_served() {
        let turns = PersonTurns::default();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..MAX_CALLS_PER_PERSON {
            let turns = turns.clone();
            calls.spawn(async move { take_for(&turns, ONE, SECOND).await });
        }
        tokio::time::sleep(SECOND / 2).await;
        let start = Instant::now();
        assert!(matches!(turns.take(ONE).await, Err(Refusal::Busy)));
        assert!(turns.take(OTHER).await.is_ok());
        assert_eq!(start.elapsed(), Duration::ZERO);

        assert!(calls.join_all().await.iter().all(Result::is_ok));
        assert!(turns.take(ONE).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_until_its_deadline() {
        let turns = PersonTurns::default();
        let waiting = deadline::with_deadline(Instant::now() + SECOND, take_for(&turns, ONE, SECOND));
        let (first, waiting, gone) = tokio::join!(
            take_for(&turns, ONE, 3 * SECOND),
            waiting,
            tokio::time::timeout(2 * SECOND, take_for(&turns, ONE, SECOND))
        );
        assert!(first.is_ok());
        assert!(matches!(waiting, Err(Refusal::Abandoned)));
        assert!(gone.is_err());
        assert!(turns.lock_queues().is_empty(), "nothing is kept of calls that have gone");
    }
}
