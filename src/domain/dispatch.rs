//! R29: what follows when a gateway has not accepted a message.

/// The most hand-overs of a notice with an unknown outcome. A warning that arrives twice does less harm than none; more often, it
/// would harass the person.
pub const MAX_UNKNOWN_OUTCOMES_OF_NOTICE: u32 = 2;

/// What is known about a message that a gateway has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It certainly has not taken the message, and may take it later. So may another gateway.
    NotTaken,
    /// It certainly has not taken the message, because of the account: the token, its rights, or its credit.
    Account,
    /// It refuses this message, and always will.
    Message,
    /// Anything else: the message may be on its way.
    Unknown,
}

/// What to do with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Hand it over again later.
    Retry,
    /// Never hand it over again by ourselves.
    GiveUp,
}

impl FailureKind {
    /// The name used in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTaken => "not_taken",
            Self::Account => "account",
            Self::Message => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether no phone can have received the message, so that another gateway may have it.
    #[must_use]
    pub const fn is_certainly_not_taken(self) -> bool {
        matches!(self, Self::NotTaken | Self::Account)
    }
}

/// What follows a failed hand-over. `earlier_unknown_outcomes`: how often the outcome was unknown before this one.
#[must_use]
pub fn decide_next_step(kind: FailureKind, is_pin: bool, earlier_unknown_outcomes: u32) -> NextStep {
    match kind {
        FailureKind::NotTaken | FailureKind::Account => NextStep::Retry,
        // A PIN goes out twice only if the person orders it again (R5).
        FailureKind::Unknown if !is_pin && earlier_unknown_outcomes + 1 < MAX_UNKNOWN_OUTCOMES_OF_NOTICE => {
            NextStep::Retry
        }
        FailureKind::Unknown | FailureKind::Message => NextStep::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::not_taken(FailureKind::NotTaken, NextStep::Retry)]
    #[case::account(FailureKind::Account, NextStep::Retry)]
    #[case::message(FailureKind::Message, NextStep::GiveUp)]
    fn r29_what_is_certain_is_decided_alike_for_pins_and_notices(#[case] kind: FailureKind, #[case] step: NextStep) {
        for is_pin in [true, false] {
            for earlier in [0, 1, 100] {
                assert_eq!(decide_next_step(kind, is_pin, earlier), step);
            }
        }
    }

    #[rstest]
    #[case::pin(true, 0, NextStep::GiveUp)]
    #[case::notice_first_time(false, 0, NextStep::Retry)]
    #[case::notice_second_time(false, 1, NextStep::GiveUp)]
    #[case::notice_later(false, u32::MAX - 1, NextStep::GiveUp)]
    fn r29_after_an_unknown_outcome_a_pin_is_never_sent_again_and_a_notice_once(
        #[case] is_pin: bool,
        #[case] earlier: u32,
        #[case] step: NextStep,
    ) {
        assert_eq!(decide_next_step(FailureKind::Unknown, is_pin, earlier), step);
    }

    #[test]
    fn r29_only_a_certain_refusal_lets_another_gateway_have_the_message() {
        let kinds = [FailureKind::NotTaken, FailureKind::Account, FailureKind::Message, FailureKind::Unknown];
        assert_eq!(kinds.map(FailureKind::is_certainly_not_taken), [true, true, false, false]);
    }
}
