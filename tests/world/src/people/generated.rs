//! Any number of ordinary persons. The same seed gives the same persons.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::person::{Opening, Person};

/// Lower numbers belong to the cast.
const FIRST_NUMBER: u32 = 1000;

/// More persons would share mobile numbers or CPR numbers.
pub const MAX_GENERATED: u32 = 1_000_000;

const GIVEN: [&str; 10] =
    ["Aage", "Bodil", "Christian", "Ditte", "Else", "Finn", "Grethe", "Holger", "Inger", "Johannes"];
const SURNAMES: [&str; 8] =
    ["Andersen", "Christensen", "Hansen", "Jensen", "Nielsen", "Pedersen", "Rasmussen", "Sørensen"];

/// Makes `count` ordinary persons, from `person-1` on.
pub(super) fn cast(opening: Opening, count: u32, seed: u64) -> Vec<Person> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut pick = |from: &[&'static str]| from[rng.random_range(0..from.len())];
    (0..count)
        .map(|index| {
            let name = format!("{} {}", pick(&GIVEN), pick(&SURNAMES));
            let language = pick(&["da", "da", "da", "da", "en", "kl"]);
            Person::ordinary(FIRST_NUMBER + index, format!("person-{}", index + 1), name, opening)
                .account(|account| account.language = language)
        })
        .collect()
}
