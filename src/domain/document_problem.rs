//! What is wrong with a document, and what the caller is told about it (R15, R19).

use super::channel::Channel;
use super::reason::Reason;

/// Why a document is not accepted. Listed in the order of the checks: whether the document is the person's own is checked
/// before its validity, so that an answer about another person's document reveals nothing about that document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentProblem {
    /// The channel does not accept this kind or issuer, or a required supporting document is missing.
    NotAccepted,
    /// The register does not know the document.
    NotFound,
    /// The document belongs to another person.
    NotTheirs,
    /// The machine readable zone, the fields that the clerk entered, the person and the register do not agree.
    Disagrees,
    /// The document is expired, lost, stolen, revoked or provisional.
    NotValid,
}

impl DocumentProblem {
    /// The reason that the caller gets. A clerk has the document in hand and may learn that it does not serve, but not whose
    /// it is. A support agent learns only that the identity is not confirmed.
    #[must_use]
    pub const fn reason(self, channel: Channel) -> Reason {
        match (channel, self) {
            (Channel::Counter, Self::NotAccepted | Self::NotValid) => Reason::DocumentNotAccepted,
            (Channel::Counter, Self::NotFound | Self::NotTheirs | Self::Disagrees)
            | (Channel::Web | Channel::Phone, _) => Reason::IdentityNotConfirmed,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::not_accepted(DocumentProblem::NotAccepted, Reason::DocumentNotAccepted)]
    #[case::not_found(DocumentProblem::NotFound, Reason::IdentityNotConfirmed)]
    #[case::not_theirs(DocumentProblem::NotTheirs, Reason::IdentityNotConfirmed)]
    #[case::disagrees(DocumentProblem::Disagrees, Reason::IdentityNotConfirmed)]
    #[case::not_valid(DocumentProblem::NotValid, Reason::DocumentNotAccepted)]
    fn r15_r19_only_a_clerk_learns_that_a_document_does_not_serve(
        #[case] problem: DocumentProblem,
        #[case] at_counter: Reason,
    ) {
        assert_eq!(problem.reason(Channel::Counter), at_counter);
        assert_eq!(problem.reason(Channel::Phone), Reason::IdentityNotConfirmed);
    }
}
