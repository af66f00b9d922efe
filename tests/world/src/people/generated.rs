//! Generates ordinary persons. The same seed gives the same persons.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::person::{Opening, Person};

/// The number of the first generated person. The persons of the cast have lower numbers.
const FIRST_NUMBER: u32 = 1000;

/// The most persons that can be generated. With more, two persons would get the same mobile number or CPR number.
pub const MAX_GENERATED: u32 = 1_000_000;

const GIVEN_NAMES: [&str; 10] =
    ["Aage", "Bodil", "Christian", "Ditte", "Else", "Finn", "Grethe", "Holger", "Inger", "Johannes"];
const SURNAMES: [&str; 8] =
    ["Andersen", "Christensen", "Hansen", "Jensen", "Nielsen", "Pedersen", "Rasmussen", "Sørensen"];

/// Makes `count` ordinary persons. Their ids are `person-1`, `person-2` and so on.
pub(super) fn cast(opening: Opening, count: u32, seed: u64) -> Vec<Person> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut pick = |choices: &[&'static str]| choices[rng.random_range(0..choices.len())];
    (0..count)
        .map(|index| {
            let name = format!("{} {}", pick(&GIVEN_NAMES), pick(&SURNAMES));
            let language = pick(&["da", "da", "da", "da", "en", "kl"]);
            Person::ordinary(FIRST_NUMBER + index, format!("person-{}", index + 1), name, opening)
                .account(|account| account.language = language)
        })
        .collect()
}
