//! Draws questions from the sandbox's seed, so that a test is asked the same questions in every run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};
use temporary_pin::domain::person::MitidUuid;
use temporary_pin::issuance::QuestionDraws;
use temporary_pin::random;

/// Makes these draws independent of other uses of the same seed. CI checks that the production binary does not contain this text.
const PURPOSE: &str = "sandbox-question-draws";

/// Makes the draws depend on the seed, the person and how often the person was asked. Without a seed they are random, as in
/// production.
pub(crate) fn from_seed(seed: Option<u64>) -> Arc<QuestionDraws> {
    let Some(seed) = seed else { return Arc::new(|_| Box::new(random::secure())) };
    let counts: Mutex<HashMap<MitidUuid, u64>> = Mutex::default();
    Arc::new(move |person| {
        let mut counts = counts.lock().expect("the code that holds this lock does not panic");
        let count = counts.entry(person).or_default();
        *count += 1;
        Box::new(seeded_rng(seed, person, *count))
    })
}

fn seeded_rng(seed: u64, person: MitidUuid, draw: u64) -> impl Rng {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(PURPOSE.as_bytes());
    context.update(&seed.to_be_bytes());
    context.update(person.0.as_bytes());
    context.update(&draw.to_be_bytes());
    let digest = context.finish();
    StdRng::from_seed(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
}
