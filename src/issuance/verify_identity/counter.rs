//! Counter: a document in the clerk's hand, and questions or a witness (R19, R20).

use super::counter_evidence::{Confirmation, CounterIdentification};
use super::run_with_document::{DocumentRun, References, RunResult, StartedRun};
use super::witness::WitnessLogin;
use super::{Verification, VerifyIdentity};
use crate::domain::assurance_at_counter::WitnessedVisit;
use crate::domain::person::Person;
use crate::domain::reason::Reason;
use crate::issuance::Refusal;

impl VerifyIdentity<'_> {
    pub(super) async fn identify_at_counter(&self, evidence: &CounterIdentification) -> Result<Verification, Refusal> {
        self.require_witness_login(evidence)?;
        let by_witness = evidence.witness().is_some();
        let started = self.start_run(&evidence.agent_token, &evidence.person, &evidence.document, by_witness).await?;
        let result = self.judge_visit(evidence, &started).await;
        let references = References {
            office_id: Some(evidence.office_id.clone()),
            appointment_reference: Some(evidence.appointment_reference.clone()),
            ..References::default()
        };
        let run = DocumentRun {
            id: started.id,
            person_key: started.person_key,
            agent_key: started.agent_key,
            by_witness,
            references,
            turn: started.turn,
        };
        self.conclude_run(run, result).await
    }

    /// The witness's login comes first: what it is answered tells nothing about the person.
    async fn judge_visit(&self, evidence: &CounterIdentification, started: &StartedRun) -> Result<RunResult, Refusal> {
        let login = match evidence.witness() {
            Some(witness) => self.verify_witness_login(witness).await?,
            None => Ok(WitnessLogin::Missing),
        };
        let login = match login {
            Ok(login) => login,
            Err(reason) => return Ok(RunResult::Rejected(reason)),
        };
        let person = started.person.as_ref();
        let judgement = self.judge_document_in_hand(evidence, started.registered.as_ref(), person).await?;
        match (judgement, person) {
            (Err(reason), _) => Ok(RunResult::Rejected(reason)),
            (Ok(()), Some(person)) => self.confirm_identity(evidence, started, person, &login).await,
            (Ok(()), None) => Err(Refusal::Internal("a document of an unknown person was accepted".into())),
        }
    }

    async fn confirm_identity(
        &self,
        evidence: &CounterIdentification,
        started: &StartedRun,
        person: &Person,
        login: &WitnessLogin,
    ) -> Result<RunResult, Refusal> {
        match &evidence.confirmation {
            Confirmation::Questions => self.draw_questions(started.person_key, person).await,
            Confirmation::Witness(witness) => {
                let clerk = (&started.agent, started.agent_key);
                let Some(witness) = self.judge_witness(witness, login, person, clerk).await? else {
                    return Ok(RunResult::Rejected(Reason::WitnessNotAccepted));
                };
                let person = self.check_eligible(person).await?;
                let offices = &self.rules.verification.high_assurance_offices;
                let visit = WitnessedVisit {
                    document: &evidence.document,
                    registered: started.registered.as_ref(),
                    office_id: &evidence.office_id,
                    clerk: started.agent.assurance,
                    is_witness_logged_in: !matches!(login, WitnessLogin::Missing),
                };
                let assurance = visit.assurance(offices);
                Ok(RunResult::Verified { person, assurance, witness: Box::new(witness) })
            }
        }
    }
}
