//! Phone and counter: draws the questions (R16).

use super::VerifyIdentity;
use super::run_with_document::RunResult;
use crate::domain::fact::FactKind;
use crate::domain::person::{Person, PersonKey};
use crate::domain::question;
use crate::domain::question_memory::{find_remembered_kinds, longest_memory};
use crate::domain::reason::Reason;
use crate::issuance::Refusal;
use crate::issuance::sms_composer::choose_language;
use crate::store::verifying::history;

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
        let (rules, now) = (&self.rules.verification, self.call.now);
        let runs = history::list_unsuccessful_runs(self.store, person, longest_memory(rules), now).await?;
        let remembered = find_remembered_kinds(&runs, rules, now);
        Ok(remembered.into_iter().map(|remembered| remembered.kind).collect())
    }
}
