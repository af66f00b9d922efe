//! Nothing that names a person, and no secret, is written anywhere: not in logs at their finest, not in Postgres, not in
//! Redis.

use std::fs::{self, File};
use std::path::Path;

use chrono::TimeDelta;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{Question, Reason, VerifyIdentityResponse, WebLogin};
use test_support::acts::{CLERK, pin_in, reasons, truth, witness, wrong};
use test_support::calls::uuid;
use test_support::person::{Person, no_document, nobody};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic::Code;

use crate::dump::dump;
use crate::edge::{Raw, framed};
use crate::needles::Needles;

struct Story {
    world: World,
    needles: Needles,
    /// What stood in Postgres and Redis at some moments of it.
    stored: String,
}

#[tokio::test]
async fn nothing_secret_is_written() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("secrecy-{}.log", uuid()));
    let mut command = Sandbox::command(&[]);
    command.env("RUST_LOG", "trace").stderr(File::create(&log).unwrap());
    let world = World::around(Sandbox::spawn(command)).await;
    let mut story = Story { world, needles: Needles::default(), stored: String::new() };

    story.web().await;
    story.phone().await;
    story.counter().await;
    story.failures().await;

    let Story { needles, stored, .. } = &story;
    let logged = fs::read_to_string(&log).unwrap();
    assert_eq!(needles.found_in(&logged), [], "in the log, {}", log.display());
    assert_eq!(needles.found_in(stored), [], "in Postgres or Redis");
    // They were there to be searched.
    assert!(logged.contains("RedeemTemporaryPin") && logged.contains("hand_over"), "{}", log.display());
    for trace in ["CASE-2041", "OFFICE-77", "pin_redeemed", "{person:", r#""sealed_body":"\\x"#] {
        assert!(stored.contains(trace), "{trace}");
    }
    fs::remove_file(log).unwrap();
}

impl Story {
    async fn look(&mut self) {
        self.stored.push_str(&dump(&self.world).await);
    }

    async fn somebody(&mut self, id: &str) -> Person {
        let person = self.world.person(id).await;
        self.needles.person(&person);
        person
    }

    async fn log_in(&mut self, person: &Person, wishes: Value) -> VerifyIdentityResponse {
        let nonce = uuid().to_string();
        let id_token = self.world.id_token(person, &nonce, &wishes).await;
        self.needles.token(&id_token);
        self.needles.add("nonce", &nonce);
        self.world.verify("web", Evidence::WebLogin(WebLogin { id_token, nonce })).await.unwrap()
    }

    /// Orders a PIN, which stands sealed in Postgres while the gateway is down, and redeems it, with a slip at first.
    async fn order(&mut self, caller: &str, person: &Person, verification_id: &str) {
        self.world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
        self.world.issue(caller, verification_id).await.unwrap();
        self.look().await;
        self.world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
        self.world.advance(TimeDelta::seconds(40)).await;
        let texts = self.world.texts(person).await;
        let pin = pin_in(texts.last().unwrap());
        self.needles.pin(&pin);
        self.needles.pin(&wrong(&pin));
        self.needles.add("SMS", texts.last().unwrap());
        for (typed, outcome) in
            [(&wrong(&pin), Outcome::WrongPin), (&pin, Outcome::Redeemed), (&pin, Outcome::NoOpenPin)]
        {
            let answer = self.world.redeem(person.reference(), typed).await.unwrap();
            assert_eq!(answer.outcome(), outcome);
        }
        self.look().await;
    }

    async fn web(&mut self) {
        let anna = self.somebody("anna").await;
        self.log_in(&anna, json!({})).await;
        self.look().await;
        self.world.advance(TimeDelta::hours(24)).await;
        let rejected = self.log_in(&anna, json!({ "assurance": "Low" })).await;
        assert_eq!(reasons(&rejected), [Reason::AssuranceTooLow]);
        let login = self.log_in(&anna, json!({})).await;
        self.order("web", &anna, &login.verification_id).await;
    }

    async fn phone(&mut self) {
        let yasmin = self.somebody("english").await;
        let agent = self.world.agent_token(CLERK).await;
        self.needles.token(&agent);
        self.needles.add("agent", CLERK);
        self.world.fail(&yasmin).await;
        self.needles.add("document number", &no_document().number);
        let asked = self.world.ask(&yasmin).await;
        self.needles.add("wrong answer", "Blåbærgrødvej 17");
        let half_right = |index, question: &Question| {
            if index == 0 { truth(&yasmin, question) } else { "Blåbærgrødvej 17".into() }
        };
        let more = self.world.answer("phone", &asked, half_right).await.unwrap();
        let verified = self.world.answer_right("phone", &yasmin, &more, 1).await;
        self.order("phone", &yasmin, &verified.verification_id).await;
    }

    async fn counter(&mut self) {
        let nivi = self.somebody("greenlandic-mobile").await;
        let aksel = self.somebody("witness").await;
        let mut visit = self.world.visit(&nivi, witness(&aksel)).await;
        visit.mrz_lines = nivi.mrz_lines();
        let verified = self.world.visits(visit).await.unwrap();
        self.order("counter", &nivi, &verified.verification_id).await;
    }

    async fn failures(&mut self) {
        let person = self.somebody("accents").await;
        let stranger = self.somebody("bjarne").await;
        self.needles.cpr_number("010158-5999");
        self.world.call_with(nobody(), person.document()).await.unwrap();
        self.world.call_with(person.reference(), stranger.document()).await.unwrap();
        let asked = self.world.ask(&person).await;
        self.world.answer_right("phone", &person, &asked, 0).await;

        // Fields in each other's places, and a body that breaks off after a CPR number.
        let cpr_number = person.0["cpr_number"].as_str().unwrap().to_owned();
        let mut visit = self.world.visit(&person, witness(&stranger)).await;
        visit.office_id.clone_from(&cpr_number);
        visit.appointment_reference = person.0["name"].as_str().unwrap().to_owned();
        visit.mrz_lines = vec![cpr_number.clone(); 3];
        self.world.visits(visit).await.unwrap_err().assert(Code::InvalidArgument, Reason::InvalidField);
        let path = "temporarypin.v1.TemporaryPinService/CheckEligibility";
        let body = framed(format!("\x0a\x7f\x0a\x0a{cpr_number}").as_bytes());
        let refusal = Raw { path, caller: Some("web"), body }.refused(&self.world).await;
        refusal.assert(Code::InvalidArgument, Reason::InvalidField);

        self.world.sandbox.post("/register", json!({ "mode": "down" })).await;
        self.world.call(&person).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
        self.world.redeem(person.reference(), "12341234").await.unwrap_err();
        self.needles.pin("12341234");
        self.world.sandbox.post("/register", json!({ "mode": "up" })).await;
        self.look().await;
    }
}
