//! The calls: how each is prepared, made and checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use clap::ValueEnum;
use made_up_world::indexed_people::IndexedPerson;
use made_up_world::issuers::{Login, LoginOptions};
use rand::RngExt as _;
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::proto::identityregister::v1::fact::Kind as FactKind;
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::document::Kind as DocumentKind;
use temporary_pin::proto::temporarypin::v1::person_reference::Reference;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{
    Answer, CheckEligibilityRequest, CounterIdentification, Document, IssueTemporaryPinRequest, PersonReference,
    PhoneIdentification, QuestionAnswers, RedeemTemporaryPinRequest, VerifyIdentityRequest, VerifyIdentityResponse,
    WebLogin, Witness,
};
use temporary_pin::random;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::clients::{Clients, Target};
use crate::deliveries::Deliveries;
use crate::world::World;

/// The agent and clerk of all calls.
const AGENT: Uuid = Uuid::from_u128(1);

/// Connections of each caller in a bench.
const CONNECTIONS: u16 = 4;

/// How often and for how long the load waits for the SMS with a PIN.
const MAX_PIN_CHECKS: u32 = 1000;
const PIN_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The agent's token lasts for a whole run.
const AGENT_TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Call {
    /// CheckEligibility, by the profile page.
    CheckEligibility,
    /// VerifyIdentity with a web login: opens an access request.
    VerifyWeb,
    /// VerifyIdentity with a document, by MitID Support: asks questions.
    VerifyPhone,
    /// VerifyIdentity with the answers to those.
    Answer,
    /// VerifyIdentity with a document and a witness, by Citizen Service.
    VerifyCounter,
    /// IssueTemporaryPin, for a person who has none open.
    Issue,
    /// IssueTemporaryPin again under the same request id.
    Replay,
    /// IssueTemporaryPin for a person who has a PIN open, once the resend interval has passed.
    Resend,
    /// RedeemTemporaryPin with the right PIN.
    Redeem,
}

/// A call that is ready to be made.
pub(crate) enum Ready {
    CheckEligibility(IndexedPerson),
    Verify(Box<Verify>),
    Issue { request_id: Uuid, verification_id: String },
    Redeem { person: IndexedPerson, pin: String },
}

/// A VerifyIdentity call that is ready to be made.
pub(crate) struct Verify {
    by: fn(&Clients) -> &crate::clients::Pool,
    request: VerifyIdentityRequest,
    expected: State,
}

/// Why a call failed: the reason in its error, or the unexpected answer.
pub(crate) type Failure = String;

/// Makes calls of one service, whose messages reach the gateway of the load.
pub(crate) trait MakeCalls: Send + Sync + 'static {
    /// A call that is ready to be made.
    type Ready: Send + Sync + 'static;

    fn make(&self, ready: &Self::Ready) -> impl Future<Output = Result<(), Failure>> + Send;

    fn deliveries(&self) -> &Deliveries;
}

/// Calls the temporary-PIN service.
pub(crate) struct Caller {
    pub(crate) clients: Clients,
    pub(crate) world: Arc<World>,
    agent_token: String,
}

impl Caller {
    pub(crate) fn new(clients: Clients, world: Arc<World>) -> anyhow::Result<Self> {
        let options = LoginOptions { lifetime: AGENT_TOKEN_LIFETIME, ..LoginOptions::default() };
        let agent = Login {
            subject: AGENT.to_string(),
            mitid_uuid: Some(AGENT),
            cpr_number: None,
            nonce: None,
            is_professional_witness: false,
            options,
        };
        let agent_token = world.issuers.workforce.id_token(&agent, SystemClock.now())?;
        Ok(Self { clients, world, agent_token })
    }

    /// Connects to the service of `target`. The certificates and the issuers' keys are in `directory`.
    pub(crate) async fn connect(target: &str, directory: &Path, world: Arc<World>) -> anyhow::Result<Arc<Self>> {
        let target = Target { target: target.to_owned(), certificates: directory.to_owned(), connections: CONNECTIONS };
        Ok(Arc::new(Self::new(Clients::connect(&target).await?, world)?))
    }

    /// Makes the calls that come before `call`, and prepares its request.
    pub(crate) async fn prepare(&self, call: Call, person: IndexedPerson) -> anyhow::Result<Ready> {
        Ok(match call {
            Call::CheckEligibility => Ready::CheckEligibility(person),
            Call::VerifyWeb => self.web_login(person)?,
            Call::VerifyPhone => self.phone(person),
            Call::Answer => self.answers(person).await?,
            Call::VerifyCounter => self.counter(person)?,
            Call::Issue => self.send_order(person).await?,
            Call::Replay => {
                let order = self.send_order(person).await?;
                self.make(&order).await.map_err(anyhow::Error::msg).context("the first order")?;
                order
            }
            Call::Resend => {
                let order = self.send_order(person).await?;
                self.make(&order).await.map_err(anyhow::Error::msg).context("the first order")?;
                let Ready::Issue { verification_id, .. } = order else { anyhow::bail!("an order issues") };
                Ready::Issue { request_id: fresh_id(), verification_id }
            }
            Call::Redeem => {
                let order = self.send_order(person).await?;
                self.make(&order).await.map_err(anyhow::Error::msg).context("the order")?;
                Ready::Redeem { person, pin: self.receive_pin(person).await? }
            }
        })
    }

    fn web_login(&self, person: IndexedPerson) -> anyhow::Result<Ready> {
        let (id_token, nonce) = self.log_in(person)?;
        let login = Evidence::WebLogin(WebLogin { id_token, nonce, ..WebLogin::default() });
        Ok(verify(|clients| &clients.web, login, State::Verified))
    }

    /// The ID token of a person's login, and its nonce.
    fn log_in(&self, person: IndexedPerson) -> anyhow::Result<(String, String)> {
        let (nonce, uuid) = (fresh_id().to_string(), person.mitid_uuid());
        let login = Login {
            subject: uuid.to_string(),
            mitid_uuid: Some(uuid),
            cpr_number: None,
            nonce: Some(nonce.clone()),
            is_professional_witness: false,
            options: LoginOptions::default(),
        };
        Ok((self.world.issuers.web.id_token(&login, SystemClock.now())?, nonce))
    }

    fn phone(&self, person: IndexedPerson) -> Ready {
        let evidence = Evidence::PhoneIdentification(PhoneIdentification {
            person: Some(by_cpr_number(person)),
            document: Some(passport(person)),
            agent_token: self.agent_token.clone(),
            case_reference: "LOAD".into(),
        });
        verify(|clients| &clients.phone, evidence, State::QuestionsPending)
    }

    async fn answers(&self, person: IndexedPerson) -> anyhow::Result<Ready> {
        let Ready::Verify(asking) = self.phone(person) else { anyhow::bail!("a phone call verifies") };
        let response = self.verify(&asking).await?;
        let answers = response.questions.iter().map(|question| {
            let kind = FactKind::from_str_name(question.kind().as_str_name()).unwrap_or_default();
            Answer { question_id: question.question_id.clone(), text: person.fact(kind) }
        });
        let evidence = Evidence::QuestionAnswers(QuestionAnswers {
            verification_id: response.verification_id.clone(),
            answers: answers.collect(),
            agent_token: self.agent_token.clone(),
        });
        Ok(verify(|clients| &clients.phone, evidence, State::Verified))
    }

    fn counter(&self, person: IndexedPerson) -> anyhow::Result<Ready> {
        let witness = person.witness();
        let (login_token, nonce) = self.log_in(witness)?;
        let evidence = Evidence::CounterIdentification(CounterIdentification {
            person: Some(by_cpr_number(person)),
            document: Some(passport(person)),
            mrz_lines: Vec::new(),
            supporting_document: None,
            confirmation: Some(Confirmation::Witness(Witness {
                person: Some(by_cpr_number(witness)),
                document: Some(passport(witness)),
                login_token,
                nonce,
                userinfo_token: String::new(),
            })),
            agent_token: self.agent_token.clone(),
            office_id: "LOAD".into(),
            appointment_reference: "LOAD".into(),
        });
        Ok(verify(|clients| &clients.counter, evidence, State::Verified))
    }

    /// Identifies a person at the counter, and prepares the order of a PIN.
    async fn send_order(&self, person: IndexedPerson) -> anyhow::Result<Ready> {
        let Ready::Verify(counter) = self.counter(person)? else { anyhow::bail!("the counter verifies") };
        let verified = self.verify(&counter).await?;
        Ok(Ready::Issue { request_id: fresh_id(), verification_id: verified.verification_id })
    }

    async fn verify(&self, verify: &Verify) -> anyhow::Result<VerifyIdentityResponse> {
        let mut client = (verify.by)(&self.clients).pins();
        let answer = client.verify_identity(Request::new(verify.request.clone())).await;
        let answer = answer.map_err(reason).map_err(anyhow::Error::msg)?.into_inner();
        expect(answer.state(), verify.expected).map_err(anyhow::Error::msg)?;
        Ok(answer)
    }

    /// Waits for the SMS with the PIN.
    async fn receive_pin(&self, person: IndexedPerson) -> anyhow::Result<String> {
        for _ in 0..MAX_PIN_CHECKS {
            if let Some(pin) = self.world.deliveries.take_pin(person) {
                return Ok(pin);
            }
            tokio::time::sleep(PIN_CHECK_INTERVAL).await;
        }
        anyhow::bail!("an ordered PIN has not reached its phone")
    }
}

impl MakeCalls for Caller {
    type Ready = Ready;

    async fn make(&self, ready: &Ready) -> Result<(), Failure> {
        match ready {
            Ready::CheckEligibility(person) => {
                let request = CheckEligibilityRequest { person: Some(by_uuid(*person)) };
                let answer = self.clients.web.pins().check_eligibility(Request::new(request)).await.map_err(reason)?;
                expect(answer.into_inner().channels.len(), 3)
            }
            Ready::Verify(verify) => {
                let mut client = (verify.by)(&self.clients).pins();
                let answer = client.verify_identity(Request::new(verify.request.clone())).await.map_err(reason)?;
                expect(answer.into_inner().state(), verify.expected)
            }
            Ready::Issue { request_id, verification_id } => {
                let request = IssueTemporaryPinRequest {
                    request_id: request_id.to_string(),
                    verification_id: verification_id.clone(),
                    language: 0,
                };
                let answer = self.clients.counter.pins().issue_temporary_pin(Request::new(request)).await;
                expect(answer.map_err(reason)?.into_inner().pin_request.is_some(), true)
            }
            Ready::Redeem { person, pin } => {
                let request = RedeemTemporaryPinRequest {
                    request_id: fresh_id().to_string(),
                    person: Some(by_uuid(*person)),
                    pin: pin.clone(),
                };
                let answer = self.clients.redeemer.redemptions().redeem_temporary_pin(Request::new(request)).await;
                expect(answer.map_err(reason)?.into_inner().outcome(), Outcome::Redeemed)
            }
        }
    }

    fn deliveries(&self) -> &Deliveries {
        &self.world.deliveries
    }
}

fn verify(by: fn(&Clients) -> &crate::clients::Pool, evidence: Evidence, expected: State) -> Ready {
    Ready::Verify(Box::new(Verify {
        by,
        request: VerifyIdentityRequest { evidence: Some(evidence), language: 0 },
        expected,
    }))
}

fn by_uuid(person: IndexedPerson) -> PersonReference {
    PersonReference { reference: Some(Reference::MitidUuid(person.mitid_uuid().to_string())) }
}

fn by_cpr_number(person: IndexedPerson) -> PersonReference {
    PersonReference { reference: Some(Reference::CprNumber(person.cpr_number())) }
}

fn passport(person: IndexedPerson) -> Document {
    Document {
        kind: DocumentKind::Passport.into(),
        issuer: "DNK".into(),
        number: person.passport(),
        ..Document::default()
    }
}

fn fresh_id() -> Uuid {
    uuid::Builder::from_random_bytes(random::secure().random()).into_uuid()
}

fn expect<T: PartialEq + std::fmt::Debug>(answered: T, expected: T) -> Result<(), Failure> {
    if answered == expected { Ok(()) } else { Err(format!("answered {answered:?} in place of {expected:?}")) }
}

/// Reads the reason in the error's details.
fn reason(status: Status) -> Failure {
    match status.get_details_error_info() {
        Some(info) => info.reason,
        None => format!("{:?} without a reason: {}", status.code(), status.message()),
    }
}
