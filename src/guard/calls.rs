//! The calls of the callers. Those of one caller that come at the same moment are spent by one script, in their order and
//! each at its own time: as many are admitted as if each had come alone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use super::bucket::{Bucket, key};
use super::connection::Connection;
use super::script::{RATE, rate_interval};
use super::{Admission, GuardError};
use crate::batch::Batcher;
use crate::domain::rules::Limit;

/// Most calls in one batch.
const MOST: usize = 256;

/// Takes calls. Cheap to clone.
#[derive(Clone)]
pub(super) struct Calls {
    together: Batcher<Asked, Result<Admission, GuardError>>,
    timeout: Duration,
}

struct Asked {
    caller: Arc<str>,
    limit: Limit,
    now: DateTime<Utc>,
}

impl Calls {
    /// Over this connection. No call waits longer than `timeout`.
    pub(super) fn new(connection: Arc<Connection>, prefix: Arc<str>, timeout: Duration) -> Self {
        let together = Batcher::new(MOST, move |asked| spend_all(Arc::clone(&connection), Arc::clone(&prefix), asked));
        Self { together, timeout }
    }

    /// Spends one call, or not.
    pub(super) async fn admit(&self, caller: &str, limit: Limit, now: DateTime<Utc>) -> Result<Admission, GuardError> {
        let answer = self.together.ask(Asked { caller: caller.into(), limit, now });
        tokio::time::timeout(self.timeout, answer).await.ok().flatten().unwrap_or(Err(GuardError::Unavailable))
    }
}

async fn spend_all(
    connection: Arc<Connection>,
    prefix: Arc<str>,
    asked: Vec<Asked>,
) -> Vec<Result<Admission, GuardError>> {
    // Of one caller and limit, by their places among all.
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, Asked { caller, limit, .. }) in asked.iter().enumerate() {
        let is_alike = |group: &&mut Vec<usize>| {
            let first = &asked[group[0]];
            (&first.caller, &first.limit) == (caller, limit)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    let mut answers = vec![Err(GuardError::Unavailable); asked.len()];
    let spent = join_all(groups.iter().map(|group| {
        let calls: Vec<&Asked> = group.iter().map(|index| &asked[*index]).collect();
        spend_of_one_caller(&connection, &prefix, calls)
    }));
    for (group, spent) in groups.iter().zip(spent.await) {
        for (place, index) in group.iter().enumerate() {
            answers[*index] = spent.as_ref().map(|admissions| admissions[place]).map_err(|error| *error);
        }
    }
    answers
}

async fn spend_of_one_caller(
    connection: &Connection,
    prefix: &str,
    calls: Vec<&Asked>,
) -> Result<Vec<Admission>, GuardError> {
    let Some(&&Asked { ref caller, limit, .. }) = calls.first() else { return Ok(Vec::new()) };
    let bucket = Bucket::CallerCalls(caller);
    let mut invocation = RATE.prepare_invoke();
    invocation.key(key(prefix, &bucket.tag(), bucket.name()));
    let latest = calls.iter().map(|call| call.now).max().unwrap_or_default();
    invocation.arg("each").arg(latest.timestamp_micros()).arg(limit.times).arg(rate_interval(limit)).arg("");
    for call in &calls {
        invocation.arg(call.now.timestamp_micros());
    }
    let answer: Vec<i64> =
        connection.run("calls", async |mut connection| invocation.invoke_async(&mut connection).await).await?;
    if answer.len() != calls.len() {
        return Err(GuardError::Unavailable);
    }
    let admission = |until: i64| match until {
        0 => Ok(Admission::Admitted),
        _ => DateTime::from_timestamp_micros(until)
            .map(|until| Admission::Limited { reason: bucket.reason(), until })
            .ok_or(GuardError::Unavailable),
    };
    answer.into_iter().map(admission).collect()
}
