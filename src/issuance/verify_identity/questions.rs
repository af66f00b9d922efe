//! Phone and counter: draws the questions (R16).

use super::VerifyIdentity;
use super::run_with_document::RunResult;
use crate::domain::fact::FactKind;
use crate::domain::person::{Person, PersonKey};
use crate::domain::question;
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::sms_composer::choose_language;
use crate::store::verifying::verifications;

impl VerifyIdentity<'_> {
    /// Draws the questions for a person whose document is accepted.
    pub(super) async fn draw_questions(&self, key: PersonKey, person: &Person) -> Result<RunResult, Refusal> {
        let eligible = self.check_eligible(person).await?;
        let excluded = self.list_excluded_kinds(key).await?;
        let mut rng = (self.question_draws)(eligible.mitid_uuid);
        Ok(match question::draw_questions(&person.facts, person.protected, &excluded, &mut rng) {
            Ok(questions) => RunResult::Ask {
                person: eligible,
                questions: questions.into(),
                language: choose_language(self.language, person),
            },
            Err(_) => RunResult::Rejected(Reason::InsufficientData),
        })
    }

    /// The kinds of fact that earlier verifications asked about without success. They are not asked about again for a
    /// while.
    pub(super) async fn list_excluded_kinds(&self, person: PersonKey) -> Result<Vec<FactKind>, Refusal> {
        let since = self.call.now - self.rules.verification.question_memory;
        Ok(verifications::list_unsuccessful_kinds(self.store, person, since).await?)
    }
}
