//! What is asked of Redis at the same moment goes there in one round trip. Each script stays a decision of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisResult, ScriptInvocation, ServerErrorKind};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::GuardError;
use super::connection::{Connection, traced};
use super::script::{self, Command, Mode, Rate};
use crate::batch::Batcher;

/// Most questions in one round trip.
const MAX_COMMANDS_PER_BATCH: usize = 256;

const NO_SCRIPT: ErrorKind = ErrorKind::Server(ServerErrorKind::NoScript);

/// A script's answer.
type Answer = Result<Vec<i64>, GuardError>;

/// Takes questions. Cheap to clone.
#[derive(Clone)]
pub(super) struct CommandBatcher {
    questions: Batcher<PendingCommand, Answer>,
    timeout: Duration,
}

struct PendingCommand {
    question: Command,
    /// From when on nobody waits for the answer.
    until: Instant,
}

impl CommandBatcher {
    /// Over this connection. No question waits longer than `timeout`.
    pub(super) fn new(connection: Arc<Connection>, timeout: Duration) -> Self {
        Self {
            questions: Batcher::new(MAX_COMMANDS_PER_BATCH, move |questions| {
                run_batch(Arc::clone(&connection), questions)
            }),
            timeout,
        }
    }

    /// What the script answers. After the call's deadline it is not asked; once asked it has its time-out, because a script
    /// that is given up may have spent all the same.
    pub(super) async fn submit(&self, mode: Mode, question: Command) -> Answer {
        let until = Instant::now() + self.timeout;
        let answer = timeout_at(until, self.questions.submit(PendingCommand { question, until }));
        let answered = async {
            answer.await.ok().flatten().unwrap_or_else(|| {
                warn!("no answer of Redis in time");
                Err(GuardError::Unavailable)
            })
        };
        traced(mode.as_str(), answered).await
    }
}

/// One run of a script, and whose questions it answers, by their places.
struct Run {
    script: ScriptInvocation<'static>,
    places: Vec<usize>,
}

async fn run_batch(connection: Arc<Connection>, questions: Vec<PendingCommand>) -> Vec<Answer> {
    let mut answers = vec![Err(GuardError::Unavailable); questions.len()];
    let ran = connection.attempt(async move |redis| {
        // Connecting may have taken all the time that somebody had: what is spent for nobody is never given back.
        let runs = runs(questions);
        let results = run_all(redis, &runs).await?;
        Ok(runs.into_iter().zip(results))
    });
    let Ok(ran) = ran.await else { return answers };
    let mut failure = None;
    for (run, result) in ran {
        match (result, &run.places[..]) {
            (Ok(answer), [place]) => answers[*place] = Ok(answer),
            // One number for each.
            (Ok(numbers), places) => {
                for (place, number) in places.iter().zip(numbers) {
                    answers[*place] = Ok(vec![number]);
                }
            }
            (Err(error), _) => failure = Some(error),
        }
    }
    if let Some(error) = failure {
        connection.let_go(&error.to_string());
    }
    answers
}

/// A run for each decision on windows; one for all who ask the same of a rate, in their order and each at its own time.
fn runs(questions: Vec<PendingCommand>) -> Vec<Run> {
    let (mut runs, mut rates) = (Vec::new(), BTreeMap::<Rate, Vec<(usize, i64)>>::new());
    let now = Instant::now();
    for (place, PendingCommand { question, .. }) in
        questions.into_iter().enumerate().filter(|(_, asked)| asked.until > now)
    {
        match question {
            Command::Windows(script) => runs.push(Run { script, places: vec![place] }),
            Command::Rate(rate, time) => rates.entry(rate).or_default().push((place, time)),
        }
    }
    runs.extend(rates.into_iter().map(|(rate, asked)| {
        let (places, times): (Vec<usize>, Vec<i64>) = asked.into_iter().unzip();
        Run { script: rate.at(&times), places }
    }));
    runs
}

async fn run_all(mut redis: MultiplexedConnection, runs: &[Run]) -> RedisResult<Vec<RedisResult<Vec<i64>>>> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut results = pipeline(&mut redis, runs.iter()).await?;
    let has_no_script = |result: &RedisResult<_>| matches!(result, Err(error) if error.kind() == NO_SCRIPT);
    let again: Vec<usize> = (0..runs.len()).filter(|index| has_no_script(&results[*index])).collect();
    // Redis is new, or was made to forget. Where there was no script, nothing has happened.
    if !again.is_empty() {
        script::load(&mut redis).await?;
        let rerun = pipeline(&mut redis, again.iter().map(|index| &runs[*index])).await?;
        for (index, result) in again.into_iter().zip(rerun) {
            results[index] = result;
        }
    }
    Ok(results)
}

async fn pipeline(
    redis: &mut MultiplexedConnection,
    runs: impl Iterator<Item = &Run>,
) -> RedisResult<Vec<RedisResult<Vec<i64>>>> {
    let mut pipeline = redis::pipe();
    for run in runs {
        pipeline.invoke_script(&run.script);
    }
    pipeline.ignore_errors().query_async(redis).await
}
