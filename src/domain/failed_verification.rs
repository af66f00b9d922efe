//! Which verifications count as failed, and what they close (R18).
//!
//! A verification counts if it is a guess at a person's identity. Each channel counts its own, so that nobody who knows
//! something of a person can close another channel for that person.

use super::channel::Channel;
use super::reason::Reason;

/// The reasons of rejected verifications that are guesses. Any other rejection says something about evidence that is
/// genuine: a login that is too old, the person's own document that has expired, or too few facts to ask about.
///
/// By phone `IdentityNotConfirmed` also covers the person's own document that is not valid. If it did not count, the count
/// would reveal whose document it is.
pub const GUESSES: [Reason; 2] = [Reason::IdentityNotConfirmed, Reason::WitnessNotAccepted];

/// The channels whose failed verifications are counted. A login on the web cannot be guessed, so the web counts none.
pub const COUNTED_CHANNELS: [Channel; 2] = [Channel::Phone, Channel::Counter];

/// Whether a verification that was rejected for this reason counts as failed.
#[must_use]
pub fn is_guess(reason: Reason) -> bool {
    GUESSES.contains(&reason)
}

/// Whether a verification is refused while the limit of its channel is reached. At the counter only questions are: a person
/// with a document and a witness is always served.
#[must_use]
pub fn is_limited(channel: Channel, by_witness: bool) -> bool {
    COUNTED_CHANNELS.contains(&channel) && !by_witness
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::wrong_answers_or_a_document_of_another_person(Reason::IdentityNotConfirmed, true)]
    #[case::a_witness_is_refused(Reason::WitnessNotAccepted, true)]
    #[case::an_own_document_that_is_not_valid(Reason::DocumentNotAccepted, false)]
    #[case::too_few_facts(Reason::InsufficientData, false)]
    #[case::a_login_that_is_too_old(Reason::LoginTooOld, false)]
    #[case::a_login_that_is_too_weak(Reason::AssuranceTooLow, false)]
    #[case::a_token_that_is_refused(Reason::LoginNotAccepted, false)]
    #[case::the_login_of_a_witness_does_not_serve(Reason::WitnessLoginNotAccepted, false)]
    fn r18_only_guesses_count(#[case] reason: Reason, #[case] counts: bool) {
        assert_eq!(is_guess(reason), counts);
    }

    #[rstest]
    #[case::web(Channel::Web, false, false)]
    #[case::phone(Channel::Phone, false, true)]
    #[case::questions_at_the_counter(Channel::Counter, false, true)]
    #[case::a_witness_at_the_counter(Channel::Counter, true, false)]
    fn r18_the_limit_closes_questions_only(#[case] channel: Channel, #[case] by_witness: bool, #[case] limited: bool) {
        assert_eq!(is_limited(channel, by_witness), limited);
    }
}
