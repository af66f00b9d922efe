//! The actions of persons, agents and clerks in a test: log in, call support, answer questions, visit the counter.

use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::verify_identity_response::State;
use temporary_pin::proto::temporarypin::v1::{
    Answer as QuestionAnswer, CounterIdentification, Document, PersonReference, PhoneIdentification, Question,
    QuestionAnswers, Questions, Reason, VerifyIdentityResponse, WebLogin, Witness,
};

use crate::calls::{Answer, uuid};
use crate::person::{Person, unknown_document};
use crate::world::World;

/// The agent or clerk in tests where any agent will do.
pub const CLERK: &str = "clerk-1";

/// Actions on the web.
impl World {
    /// An ID token of a login. `options` are those of the sandbox's `POST /login`.
    pub async fn id_token(&self, person: &Person, nonce: &str, options: &Value) -> String {
        let mut body = options.clone();
        body["person"] = json!(person.id());
        body["nonce"] = json!(nonce);
        self.sandbox.post("/login", body).await["id_token"].as_str().unwrap().to_owned()
    }

    /// Logs in. `options` are those of [`Self::id_token`]. The login may fail.
    pub async fn try_log_in(&self, person: &Person, options: Value) -> Answer<VerifyIdentityResponse> {
        let nonce = uuid().to_string();
        let id_token = self.id_token(person, &nonce, &options).await;
        self.log_in_with(id_token, nonce).await
    }

    /// Logs in with this token. The login may fail.
    pub async fn log_in_with(&self, id_token: String, nonce: String) -> Answer<VerifyIdentityResponse> {
        let login = WebLogin { id_token, nonce, ..WebLogin::default() };
        self.verify("web", Evidence::WebLogin(login)).await
    }

    /// Logs in. Panics if the login is not accepted.
    pub async fn log_in(&self, person: &Person) -> VerifyIdentityResponse {
        let answer = self.try_log_in(person, json!({})).await.unwrap();
        assert_eq!(answer.state(), State::Verified, "{answer:?}");
        answer
    }
}

/// Actions by phone.
impl World {
    pub async fn agent_token(&self, agent: &str) -> String {
        let answer = self.sandbox.post("/agent-login", json!({ "agent": agent })).await;
        answer["agent_token"].as_str().unwrap().to_owned()
    }

    /// What an agent sends when a person calls support with a document.
    pub async fn phone_evidence(&self, person: PersonReference, document: Document, agent: &str) -> Evidence {
        Evidence::PhoneIdentification(PhoneIdentification {
            person: Some(person),
            document: Some(document),
            agent_token: self.agent_token(agent).await,
            case_reference: "CASE-2041".into(),
        })
    }

    /// A caller on the phone claims to be `person` and reads out `document`.
    pub async fn call_support_with(
        &self,
        person: PersonReference,
        document: Document,
    ) -> Answer<VerifyIdentityResponse> {
        let evidence = self.phone_evidence(person, document, CLERK).await;
        self.verify("phone", evidence).await
    }

    /// The person calls support with their own document.
    pub async fn call_support(&self, person: &Person) -> Answer<VerifyIdentityResponse> {
        self.call_support_with(person.reference(), person.document()).await
    }

    /// The person calls support. Panics if no questions follow.
    pub async fn begin_questions(&self, person: &Person) -> VerifyIdentityResponse {
        let response = self.call_support(person).await.unwrap();
        assert_eq!(response.state(), State::QuestionsPending, "{response:?}");
        response
    }

    /// Answers each question with the text that `text` returns for the question and its index.
    pub async fn answer(
        &self,
        caller: &str,
        response: &VerifyIdentityResponse,
        text: impl Fn(usize, &Question) -> String,
    ) -> Answer<VerifyIdentityResponse> {
        let answers = self.answers(response, text).await;
        self.verify(caller, Evidence::QuestionAnswers(answers)).await
    }

    /// The evidence that [`Self::answer`] sends: an answer to each question of `response`.
    pub async fn answers(
        &self,
        response: &VerifyIdentityResponse,
        text: impl Fn(usize, &Question) -> String,
    ) -> QuestionAnswers {
        let questions = response.questions.iter().enumerate();
        let answers = questions
            .map(|(index, question)| QuestionAnswer {
                question_id: question.question_id.clone(),
                text: text(index, question),
            })
            .collect();
        let agent_token = self.agent_token(CLERK).await;
        QuestionAnswers { verification_id: response.verification_id.clone(), answers, agent_token }
    }

    /// Answers the first `right_answers` questions right and the remaining questions wrong.
    pub async fn answer_right(
        &self,
        caller: &str,
        person: &Person,
        response: &VerifyIdentityResponse,
        right_answers: usize,
    ) -> VerifyIdentityResponse {
        let text = |index, question: &Question| {
            if index < right_answers { right_answer(person, question) } else { WRONG_ANSWER.into() }
        };
        self.answer(caller, response, text).await.unwrap()
    }

    /// Identifies the person by phone. Returns the verification id.
    pub async fn identify(&self, person: &Person) -> String {
        let response = self.begin_questions(person).await;
        let verified = self.answer_right("phone", person, &response, 3).await;
        assert_eq!(verified.state(), State::Verified, "{verified:?}");
        verified.verification_id
    }

    /// Identifies the person by phone. The agent serves no other person, so that no agent reaches a limit (R22).
    /// Returns the verification id.
    pub async fn identify_with_separate_agent(&self, person: &Person) -> String {
        let agent = format!("agent-of-{}", person.id());
        let evidence = self.phone_evidence(person.reference(), person.document(), &agent).await;
        let response = self.verify("phone", evidence).await.unwrap();
        let verified = self.answer_right("phone", person, &response, 3).await;
        assert_eq!(verified.state(), State::Verified, "{verified:?}");
        verified.verification_id
    }

    /// Makes a verification of the person fail, with a document that does not exist.
    pub async fn fail_verification(&self, person: &Person) {
        let rejected = self.call_support_with(person.reference(), unknown_document()).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::IdentityNotConfirmed]);
    }
}

/// Actions at the counter.
impl World {
    /// What a clerk sends when the person comes to the counter with their own document.
    pub async fn counter_evidence(&self, person: &Person, confirmation: Confirmation) -> CounterIdentification {
        CounterIdentification {
            person: Some(person.reference()),
            document: Some(person.document()),
            mrz_lines: Vec::new(),
            supporting_document: None,
            confirmation: Some(confirmation),
            agent_token: self.agent_token(CLERK).await,
            office_id: "OFFICE-77".into(),
            appointment_reference: "APPOINTMENT-77".into(),
        }
    }

    /// Sends the evidence of a visit.
    pub async fn visit_counter(&self, visit: CounterIdentification) -> Answer<VerifyIdentityResponse> {
        self.verify("counter", Evidence::CounterIdentification(visit)).await
    }
}

/// Actions of witnesses.
impl World {
    /// The evidence that `witness` vouches: logs in, and shows their own document.
    pub async fn vouches(&self, witness: &Person) -> Confirmation {
        Confirmation::Witness(self.witness_with(witness, witness.document(), json!({})).await)
    }

    /// The evidence of a witness who logs in with these options and shows this document.
    pub async fn witness_with(&self, witness: &Person, document: Document, options: Value) -> Witness {
        let nonce = uuid().to_string();
        Witness {
            person: Some(witness.reference()),
            document: Some(document),
            login_token: self.id_token(witness, &nonce, &options).await,
            nonce,
            userinfo_token: String::new(),
        }
    }

    /// The evidence of a professional witness, who logs in as this agent and shows their own document.
    pub async fn professional_witness(&self, witness: &Person, agent: &str) -> Witness {
        let nonce = uuid().to_string();
        let login = self.sandbox.post("/agent-login", json!({ "agent": agent, "nonce": nonce })).await;
        let login_token = login["agent_token"].as_str().unwrap().to_owned();
        Witness { login_token, nonce, ..self.witness_with(witness, witness.document(), json!({})).await }
    }
}

/// Actions with a PIN.
impl World {
    /// Identifies the person by phone and orders a PIN. Returns the PIN from the SMS.
    pub async fn order_pin(&self, person: &Person) -> String {
        let verification = self.identify(person).await;
        self.issue("phone", &verification).await.unwrap();
        pin_in(self.texts(person).await.last().unwrap())
    }
}

/// An answer that is wrong for every question.
pub const WRONG_ANSWER: &str = "Nonsens";

pub const QUESTIONS: Confirmation = Confirmation::Questions(Questions {});

/// A right answer to the question.
pub fn right_answer(person: &Person, question: &Question) -> String {
    person.answers(question.kind()).swap_remove(0)
}

/// The reasons of a response. Panics if a rejection has no reason, or if another response has one.
pub fn reasons(answer: &VerifyIdentityResponse) -> Vec<Reason> {
    let reasons: Vec<Reason> = answer.reasons().collect();
    assert_eq!(reasons.is_empty(), answer.state() != State::Rejected, "{answer:?}");
    reasons
}

/// The PIN in an SMS: two groups of four digits. Panics unless the text contains exactly one PIN.
pub fn pin_in(text: &str) -> String {
    let words: Vec<&str> = text.split([' ', '.']).collect();
    let is_group = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let pins: Vec<String> =
        words.windows(2).filter(|pair| pair.iter().all(|word| is_group(word))).map(|pair| pair.concat()).collect();
    assert_eq!(pins.len(), 1, "{text}");
    pins[0].clone()
}

/// A PIN that differs from `pin`.
pub fn wrong(pin: &str) -> String {
    let number: u32 = pin.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}
