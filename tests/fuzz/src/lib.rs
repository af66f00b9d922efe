//! Properties of the parsers of input from outside: one function for each fuzz target, which panics if the property does not
//! hold for the input. The libFuzzer targets (`../targets`) and the tests of the committed corpus (`tests/fuzz_corpus`) call
//! the same functions.

mod answers;
mod configuration;
mod documents;
mod gateway_answer;
mod id_token;
mod keys;
mod loopback;
mod numbers;
mod register_answer;
mod request;

use std::fmt::Debug;

pub use answers::answer;
pub use configuration::configuration;
pub use documents::{document, mrz};
pub use gateway_answer::gateway_answer;
pub use id_token::id_token;
pub use keys::{key_ring, sealed};
pub use numbers::{cpr_number, mobile_number, pin};
pub use register_answer::register_answer;
pub use request::request;

/// Panics if the property does not hold. Returns whether the parser accepted the input, so that the tests notice a corpus
/// without accepted inputs.
pub type Property = fn(&[u8]) -> bool;

/// Every target, by name.
pub const TARGETS: [(&str, Property); 13] = [
    ("answer", answer),
    ("configuration", configuration),
    ("cpr_number", cpr_number),
    ("document", document),
    ("gateway_answer", gateway_answer),
    ("id_token", id_token),
    ("key_ring", key_ring),
    ("mobile_number", mobile_number),
    ("mrz", mrz),
    ("pin", pin),
    ("register_answer", register_answer),
    ("request", request),
    ("sealed", sealed),
];

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Splits the input after its first line.
fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// Checks that `Debug` shows no digit of a value that consists of digits.
#[track_caller]
fn assert_no_digit_shown(value: &impl Debug) {
    let shown = format!("{value:?} {value:#?}");
    assert!(!shown.contains(|character: char| character.is_numeric()), "{shown}");
}
