//! Groups concurrent commands into one round trip to Redis. Each command still has its own result.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisResult, ScriptInvocation, ServerErrorKind};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::connection::{RedisConnection, trace_command};
use super::error::GuardError;
use super::script::{self, Command, RateCommand, ScriptMode};
use crate::batch::Batcher;

/// The most commands in one round trip.
const MAX_COMMANDS_PER_BATCH: usize = 256;

/// The error of Redis when it does not know the script.
const NO_SCRIPT: ErrorKind = ErrorKind::Server(ServerErrorKind::NoScript);

/// The numbers that a script returned.
type CommandAnswer = Result<Vec<i64>, GuardError>;

/// Takes commands and sends them in batches. Cheap to clone.
#[derive(Clone)]
pub(super) struct CommandBatcher {
    batcher: Batcher<PendingCommand, CommandAnswer>,
    timeout: Duration,
}

/// A command that waits to be sent.
struct PendingCommand {
    command: Command,
    /// The caller waits until this time.
    expires: Instant,
}

impl CommandBatcher {
    /// A batcher over this connection. No command waits longer than `timeout`.
    pub(super) fn new(connection: Arc<RedisConnection>, timeout: Duration) -> Self {
        let run = move |commands| run_batch(Arc::clone(&connection), commands);
        Self { batcher: Batcher::new(MAX_COMMANDS_PER_BATCH, run), timeout }
    }

    /// Sends the command and returns the answer of the script. A command whose call's deadline has passed is not sent. After
    /// it is sent, only `timeout` ends the wait: cancelling would not stop the script in Redis.
    pub(super) async fn submit(&self, mode: ScriptMode, command: Command) -> CommandAnswer {
        let expires = Instant::now() + self.timeout;
        let answer = timeout_at(expires, self.batcher.submit(PendingCommand { command, expires }));
        let answered = async {
            answer.await.ok().flatten().unwrap_or_else(|| {
                warn!("no answer of Redis in time");
                Err(GuardError::Unavailable)
            })
        };
        trace_command(mode.as_str(), answered).await
    }
}

/// One run of a script, which answers one or several commands of the batch.
struct ScriptRun {
    script: ScriptInvocation<'static>,
    /// The indexes of these commands in the batch.
    indexes: Vec<usize>,
}

async fn run_batch(connection: Arc<RedisConnection>, commands: Vec<PendingCommand>) -> Vec<CommandAnswer> {
    let mut answers = vec![Err(GuardError::Unavailable); commands.len()];
    let run_results = connection.run(async move |redis| {
        // Plan the runs after connecting: this drops commands that have timed out. If they were
        // sent, they would spend, and their callers, who have gone away, could not refund.
        let runs = plan_runs(commands);
        let results = execute(redis, &runs).await?;
        Ok(runs.into_iter().zip(results))
    });
    let Ok(run_results) = run_results.await else { return answers };
    let mut failure = None;
    for (run, result) in run_results {
        match (result, &run.indexes[..]) {
            (Ok(numbers), [index]) => answers[*index] = Ok(numbers),
            // A run for several commands on one rate returns one number for each.
            (Ok(numbers), indexes) => {
                for (index, number) in indexes.iter().zip(numbers) {
                    answers[*index] = Ok(vec![number]);
                }
            }
            (Err(error), _) => failure = Some(error),
        }
    }
    if let Some(error) = failure {
        connection.drop_current(&error.to_string());
    }
    answers
}

/// One run for each command on windows, and one run for all equal commands on a rate, in the order of the commands.
fn plan_runs(commands: Vec<PendingCommand>) -> Vec<ScriptRun> {
    let (mut runs, mut rates) = (Vec::new(), BTreeMap::<RateCommand, Vec<(usize, i64)>>::new());
    let now = Instant::now();
    let waiting = commands.into_iter().enumerate().filter(|(_, pending)| pending.expires > now);
    for (index, PendingCommand { command, .. }) in waiting {
        match command {
            Command::Windows(script) => runs.push(ScriptRun { script, indexes: vec![index] }),
            Command::Rate(rate, time) => rates.entry(rate).or_default().push((index, time)),
        }
    }
    runs.extend(rates.into_iter().map(|(rate, requests)| {
        let (indexes, times): (Vec<usize>, Vec<i64>) = requests.into_iter().unzip();
        ScriptRun { script: rate.to_script(&times), indexes }
    }));
    runs
}

async fn execute(mut redis: MultiplexedConnection, runs: &[ScriptRun]) -> RedisResult<Vec<RedisResult<Vec<i64>>>> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut results = send_pipeline(&mut redis, runs.iter()).await?;
    let script_is_unknown = |result: &RedisResult<_>| matches!(result, Err(error) if error.kind() == NO_SCRIPT);
    let unknown_runs: Vec<usize> = (0..runs.len()).filter(|index| script_is_unknown(&results[*index])).collect();
    // Redis was restarted or has dropped its scripts. A script that it does not know has changed nothing, so run it again.
    if !unknown_runs.is_empty() {
        script::load_scripts(&mut redis).await?;
        let rerun = send_pipeline(&mut redis, unknown_runs.iter().map(|index| &runs[*index])).await?;
        for (index, result) in unknown_runs.into_iter().zip(rerun) {
            results[index] = result;
        }
    }
    Ok(results)
}

async fn send_pipeline(
    redis: &mut MultiplexedConnection,
    runs: impl Iterator<Item = &ScriptRun>,
) -> RedisResult<Vec<RedisResult<Vec<i64>>>> {
    let mut pipeline = redis::pipe();
    for run in runs {
        pipeline.invoke_script(&run.script);
    }
    pipeline.ignore_errors().query_async(redis).await
}
