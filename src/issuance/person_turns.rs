//! Lets one call per person run at a time, within this process.
//!
//! A limit is spent in Redis before its row is committed in Postgres. Without turns, concurrent calls for one person would
//! count each other's spends, and would be refused although the rows in Postgres do not reach the limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Refusal;
use crate::deadline;
use crate::domain::person::PersonKey;

/// The most calls for one person that run or wait. Waiting calls hold call permits, which other persons need.
const MAX_CALLS_PER_PERSON: usize = 32;

/// The queues of the persons for whom a call is under way. Cheap to clone: all clones share the queues.
#[derive(Clone, Default)]
pub struct PersonTurns {
    queues: Arc<Mutex<HashMap<PersonKey, Queue>>>,
}

/// The turn of one call. The next call for the same person waits until the turn is dropped.
#[must_use = "the turn ends when it is dropped"]
pub(super) struct PersonTurn {
    // Dropped in this order: the next call can begin before this one leaves the queue.
    _turn: tokio::sync::OwnedMutexGuard<()>,
    _membership: Membership,
}

/// The calls for one person: the call that has its turn, and the calls that wait.
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
    /// Waits for the turn of this call: first come, first served. Fails if the call's deadline passes during the wait, or at
    /// once if [`MAX_CALLS_PER_PERSON`] calls for the person run or wait already.
    pub(super) async fn wait_for_turn(&self, person: PersonKey) -> Result<PersonTurn, Refusal> {
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

    const PERSON: PersonKey = PersonKey([1; 32]);
    const OTHER_PERSON: PersonKey = PersonKey([2; 32]);
    const SECOND: Duration = Duration::from_secs(1);

    async fn take_for(turns: &PersonTurns, person: PersonKey, time: Duration) -> Result<(), Refusal> {
        let _turn = turns.wait_for_turn(person).await?;
        tokio::time::sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_one_person_run_one_after_another_and_calls_of_different_persons_run_concurrently() {
        let turns = PersonTurns::default();
        let start = Instant::now();
        let all = (0..4).flat_map(|_| [PERSON, OTHER_PERSON]).map(|person| take_for(&turns, person, SECOND));
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        assert_eq!(start.elapsed(), 4 * SECOND);
        assert!(turns.lock_queues().is_empty(), "the queues of ended calls are removed");
    }

    #[tokio::test(start_paused = true)]
    async fn above_the_maximum_a_call_is_refused_at_once_but_not_calls_of_other_persons() {
        let turns = PersonTurns::default();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..MAX_CALLS_PER_PERSON {
            let turns = turns.clone();
            calls.spawn(async move { take_for(&turns, PERSON, SECOND).await });
        }
        tokio::time::sleep(SECOND / 2).await;
        let start = Instant::now();
        assert!(matches!(turns.wait_for_turn(PERSON).await, Err(Refusal::Busy)));
        assert!(turns.wait_for_turn(OTHER_PERSON).await.is_ok());
        assert_eq!(start.elapsed(), Duration::ZERO);

        assert!(calls.join_all().await.iter().all(Result::is_ok));
        assert!(turns.wait_for_turn(PERSON).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_until_its_deadline() {
        let turns = PersonTurns::default();
        let waiting = deadline::with_deadline(Instant::now() + SECOND, take_for(&turns, PERSON, SECOND));
        let (first, waiting, dropped) = tokio::join!(
            take_for(&turns, PERSON, 3 * SECOND),
            waiting,
            tokio::time::timeout(2 * SECOND, take_for(&turns, PERSON, SECOND))
        );
        assert!(first.is_ok());
        assert!(matches!(waiting, Err(Refusal::Abandoned)));
        assert!(dropped.is_err());
        assert!(turns.lock_queues().is_empty(), "the queues of dropped calls are removed");
    }
}
