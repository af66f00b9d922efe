//! Questions drawn from the sandbox's seed, so that a test meets the same ones in every run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};
use temporary_pin::domain::person::MitidUuid;
use temporary_pin::issuance::QuestionDraws;
use temporary_pin::random;

/// Sets these draws apart from whatever else a seed may make. CI looks for it in the production binary.
const PURPOSE: &str = "sandbox-question-draws";

/// A person's first draw, second and so on depend on the seed and the person alone. Without a seed: as in production.
pub(crate) fn from_seed(seed: Option<u64>) -> Arc<QuestionDraws> {
    let Some(seed) = seed else { return Arc::new(|_| Box::new(random::secure())) };
    let draws: Mutex<HashMap<MitidUuid, u64>> = Mutex::default();
    Arc::new(move |person| {
        let mut draws = draws.lock().expect("nothing panics while it is held");
        let draw = draws.entry(person).or_default();
        *draw += 1;
        Box::new(rng(seed, person, *draw))
    })
}

fn rng(seed: u64, person: MitidUuid, draw: u64) -> impl Rng {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(PURPOSE.as_bytes());
    context.update(&seed.to_be_bytes());
    context.update(person.0.as_bytes());
    context.update(&draw.to_be_bytes());
    let digest = context.finish();
    StdRng::from_seed(digest.as_ref().try_into().expect("SHA-256 gives 32 bytes"))
}
