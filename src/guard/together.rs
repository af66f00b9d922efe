//! What is asked of Redis at the same moment goes there in one round trip. Each script stays a decision of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{RedisResult, ScriptInvocation};

use super::GuardError;
use super::connection::{Connection, traced};
use super::script::{Mode, Question, Rate};
use crate::batch::Batcher;

/// Most questions in one round trip.
const MOST: usize = 256;

/// A script's answer.
type Answer = Result<Vec<i64>, GuardError>;

/// Takes questions. Cheap to clone.
#[derive(Clone)]
pub(super) struct Together {
    questions: Batcher<Question, Answer>,
    timeout: Duration,
}

impl Together {
    /// Over this connection. No question waits longer than `timeout`.
    pub(super) fn new(connection: Arc<Connection>, timeout: Duration) -> Self {
        Self { questions: Batcher::new(MOST, move |questions| answer_all(Arc::clone(&connection), questions)), timeout }
    }

    /// What the script answers. After the call's deadline it is not asked; once asked it has its time-out, because a script
    /// that is given up may have spent all the same.
    pub(super) async fn ask(&self, mode: Mode, question: Question) -> Answer {
        let answer = tokio::time::timeout(self.timeout, self.questions.ask(question));
        traced(mode.as_str(), async { answer.await.ok().flatten().unwrap_or(Err(GuardError::Unavailable)) }).await
    }
}

/// One run of a script, and whose questions it answers, by their places.
struct Run {
    script: ScriptInvocation<'static>,
    places: Vec<usize>,
}

async fn answer_all(connection: Arc<Connection>, questions: Vec<Question>) -> Vec<Answer> {
    let mut answers = vec![Err(GuardError::Unavailable); questions.len()];
    let runs = runs(questions);
    for (run, answer) in runs.iter().zip(run_all(&connection, &runs).await) {
        match run.places[..] {
            [place] => answers[place] = answer,
            // One number for each.
            _ => {
                for (number, place) in run.places.iter().enumerate() {
                    let own = |all: &Vec<i64>| all.get(number).copied().into_iter().collect();
                    answers[*place] = answer.as_ref().map(own).map_err(|error| *error);
                }
            }
        }
    }
    answers
}

/// A run for each decision on windows; one for all who ask the same of a rate, in their order and each at its own time.
fn runs(questions: Vec<Question>) -> Vec<Run> {
    let (mut runs, mut rates) = (Vec::new(), BTreeMap::<Rate, Vec<(usize, i64)>>::new());
    for (place, question) in questions.into_iter().enumerate() {
        match question {
            Question::Windows(script) => runs.push(Run { script, places: vec![place] }),
            Question::Rate(rate, now) => rates.entry(rate).or_default().push((place, now)),
        }
    }
    runs.extend(rates.into_iter().map(|(rate, asked)| {
        let (places, times): (Vec<usize>, Vec<i64>) = asked.into_iter().unzip();
        Run { script: rate.at(&times), places }
    }));
    runs
}

async fn run_all(connection: &Connection, runs: &[Run]) -> Vec<Answer> {
    let mut pipeline = redis::pipe();
    for run in runs {
        pipeline.invoke_script(&run.script);
    }
    pipeline.ignore_errors();
    let asked =
        connection.attempt(async |mut redis| pipeline.query_async::<Vec<RedisResult<Vec<i64>>>>(&mut redis).await);
    let Ok(answers) = asked.await else { return vec![Err(GuardError::Unavailable); runs.len()] };
    // Most likely Redis has no such script, or has it no more: alone, it is loaded. Another error comes again, and counts.
    let again = async |(run, answer): (&Run, RedisResult<Vec<i64>>)| match answer {
        Ok(answer) => Ok(answer),
        Err(_) => connection.attempt(async |mut redis| run.script.invoke_async(&mut redis).await).await,
    };
    join_all(runs.iter().zip(answers).map(again)).await
}
