//! Counter: documentation in hand, and questions or a witness (R19, R20).

use secrecy::SecretString;

use super::run::{Begun, References, Run, Step};
use super::{Issuance, Verification};
use crate::domain::assurance::AssuranceLevel;
use crate::domain::calendar;
use crate::domain::document::{self, Document, DocumentKind, DocumentProblem, RegisteredDocument, SupportingDocument};
use crate::domain::language::Language;
use crate::domain::mrz::Mrz;
use crate::domain::person::{Person, PersonKey, PersonReference};
use crate::domain::reason::Reason;
use crate::domain::witness;
use crate::issuance::{CallContext, Refusal};
use crate::login::Agent;
use crate::store::verifying::verifications;

/// What a clerk has seen at a booked visit.
pub struct CounterIdentification {
    /// The person at the counter.
    pub person: PersonReference,
    /// The document in hand.
    pub document: Document,
    /// Its machine readable zone, when it was scanned.
    pub mrz: Option<Mrz>,
    /// Needed with a foreign document.
    pub supporting_document: Option<SupportingDocument>,
    /// How the identity is confirmed beside the document.
    pub confirmation: Confirmation,
    /// ID token of the clerk.
    pub agent_token: SecretString,
    /// The office.
    pub office_id: String,
    /// The booked appointment.
    pub appointment_reference: String,
}

/// How the identity is confirmed beside the document.
pub enum Confirmation {
    /// By questions.
    Questions,
    /// By a witness with a document of their own.
    Witness(PersonReference, Document),
}

impl Issuance {
    pub(super) async fn counter_identification(
        &self,
        call: &CallContext,
        evidence: &CounterIdentification,
        language: Option<Language>,
    ) -> Result<Verification, Refusal> {
        let Begun { id, agent: clerk, agent_key, key, person, registered } =
            self.begin(call, &evidence.agent_token, &evidence.person, &evidence.document).await?;
        let mut witness = None;
        let issuers = &self.rules.verification.document_issuers;
        let step = match &person {
            // As when there is such a person, or it would tell that there is none.
            None if !document::is_accepted_at_counter(&evidence.document, evidence.supporting_document, issuers) => {
                Ok(Step::Rejected(Reason::DocumentNotAccepted))
            }
            None => Ok(Step::Rejected(Reason::IdentityNotConfirmed)),
            Some(person) => match (self.judge(call, evidence, registered.as_ref(), person), &evidence.confirmation) {
                (Err(reason), _) => Ok(Step::Rejected(reason)),
                (Ok(()), Confirmation::Questions) => self.ask(call, key, person, language).await,
                (Ok(()), Confirmation::Witness(reference, document)) => {
                    match self.witness(call, reference, document, person, &clerk).await {
                        Ok(Some(witness_key)) => {
                            witness = Some(witness_key);
                            let assurance = assurance(&evidence.document);
                            self.eligible(person, call).await.map(|subject| Step::Verified { subject, assurance })
                        }
                        Ok(None) => Ok(Step::Rejected(Reason::WitnessNotAccepted)),
                        Err(refusal) => Err(refusal),
                    }
                }
            },
        };
        let references = References {
            office_id: Some(evidence.office_id.clone()),
            appointment_reference: Some(evidence.appointment_reference.clone()),
            ..References::default()
        };
        let by_witness = matches!(evidence.confirmation, Confirmation::Witness(..));
        self.conclude(call, Run { id, person: key, agent: agent_key, by_witness, witness, references }, step).await
    }

    /// The document in hand: the clerk may be told what is wrong with it, but not whose it is (R19).
    fn judge(
        &self,
        call: &CallContext,
        evidence: &CounterIdentification,
        registered: Option<&RegisteredDocument>,
        person: &Person,
    ) -> Result<(), Reason> {
        let today = calendar::date_in_copenhagen(call.now);
        let issuers = &self.rules.verification.document_issuers;
        document::judge_counter_document(
            &evidence.document,
            evidence.supporting_document,
            registered,
            person,
            issuers,
            today,
        )
        .map_err(|problem| match problem {
            DocumentProblem::NotFound | DocumentProblem::NotTheirs => Reason::IdentityNotConfirmed,
            DocumentProblem::NotValid | DocumentProblem::NotAccepted => Reason::DocumentNotAccepted,
        })?;
        match &evidence.mrz {
            Some(mrz) if !mrz.agrees_with(&evidence.document, registered, person.birth_date, today) => {
                Err(Reason::IdentityNotConfirmed)
            }
            _ => Ok(()),
        }
    }

    /// The witness's pseudonym, if they may vouch for the person (R20).
    async fn witness(
        &self,
        call: &CallContext,
        reference: &PersonReference,
        document: &Document,
        person: &Person,
        clerk: &Agent,
    ) -> Result<Option<PersonKey>, Refusal> {
        let (witness, registered) =
            tokio::try_join!(self.register.look_up_person(reference), self.register.look_up_document(document))?;
        let Some(witness) = witness else { return Ok(None) };
        let today = calendar::date_in_copenhagen(call.now);
        let rules = &self.rules.verification;
        if document::judge_document(document, registered.as_ref(), &witness, &rules.document_issuers, today).is_err() {
            return Ok(None);
        }
        let key = self.person_key(reference, Some(&witness));
        let uses = verifications::count_witness_uses(&self.store, key, call.now - rules.witness_window).await?;
        Ok(witness::may_witness(&witness, person, clerk.mitid_uuid, uses, rules, call.now).then_some(key))
    }
}

/// A passport with a CPR number behind it, seen in person, reaches High; everything else Substantial (mitid.dk,
/// "Legitimation and documentation").
fn assurance(document: &Document) -> AssuranceLevel {
    if document.kind == DocumentKind::Passport && ["DNK", "GRL", "FRO"].contains(&document.issuer.as_str()) {
        AssuranceLevel::High
    } else {
        AssuranceLevel::Substantial
    }
}
