//! No personal data and no secret is written to the log at its most detailed level, to Postgres or to Redis.

use std::fs::{self, File};
use std::path::Path;

use chrono::TimeDelta;
use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::counter_identification::Confirmation;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{Question, Reason, VerifyIdentityResponse, WebLogin, Witness};
use test_support::acts::{CLERK, pin_in, reasons, right_answer, wrong};
use test_support::calls::uuid;
use test_support::person::{Person, unknown_document, unknown_person};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use tonic::Code;

use crate::dump::dump_all;
use crate::edge::{RawCall, frame_message};
use crate::needles::Needles;

/// Calls of all kinds, and the secrets in them.
struct Run {
    world: World,
    needles: Needles,
    /// Dumps of Postgres and Redis, taken several times during the run.
    stored: String,
}

#[tokio::test]
async fn no_secret_is_written_to_logs_postgres_or_redis() {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("secrecy-{}.log", uuid()));
    let mut command = Sandbox::command(&[]);
    command.env("RUST_LOG", "trace").stderr(File::create(&log).unwrap());
    let world = World::with_sandbox(Sandbox::spawn(command)).await;
    let mut run = Run { world, needles: Needles::default(), stored: String::new() };

    run.play_web().await;
    run.play_phone().await;
    run.play_counter().await;
    run.play_failures().await;

    let Run { needles, stored, .. } = &run;
    let logged = fs::read_to_string(&log).unwrap();
    assert_eq!(needles.find_in(&logged), [], "in the log, {}", log.display());
    assert_eq!(needles.find_in(stored), [], "in Postgres or Redis");
    // The log and the dumps are not empty.
    assert!(logged.contains("RedeemTemporaryPin") && logged.contains("hand_over"), "{}", log.display());
    for text in ["CASE-2041", "OFFICE-77", "pin_redeemed", "{person:", r#""sealed_body":"\\x"#] {
        assert!(stored.contains(text), "{text}");
    }
    fs::remove_file(log).unwrap();
}

impl Run {
    async fn take_dump(&mut self) {
        self.stored.push_str(&dump_all(&self.world).await);
    }

    async fn find_person(&mut self, id: &str) -> Person {
        let person = self.world.person(id).await;
        self.needles.add_person(&person);
        person
    }

    async fn log_in(&mut self, person: &Person, mut options: Value) -> VerifyIdentityResponse {
        let nonce = uuid().to_string();
        options["person"] = json!(person.id());
        options["nonce"] = json!(nonce);
        // A broker with two tokens.
        options["broker"] = json!("signaturgruppen");
        let tokens = self.world.sandbox.post("/login", options).await;
        let [id_token, userinfo_token] =
            ["id_token", "userinfo_token"].map(|name| tokens[name].as_str().unwrap().to_owned());
        self.needles.add_token(&id_token);
        self.needles.add_token(&userinfo_token);
        self.needles.add("nonce", &nonce);
        self.world.verify("web", Evidence::WebLogin(WebLogin { id_token, nonce, userinfo_token })).await.unwrap()
    }

    /// Orders a PIN, dumps the data while the gateway is down (the sealed SMS is in Postgres), and redeems the PIN after a
    /// wrong try.
    async fn order_and_redeem(&mut self, caller: &str, person: &Person, verification_id: &str) {
        self.world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
        self.world.issue(caller, verification_id).await.unwrap();
        self.take_dump().await;
        self.world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
        self.world.advance(TimeDelta::seconds(40)).await;
        let texts = self.world.texts(person).await;
        let pin = pin_in(texts.last().unwrap());
        self.needles.add_pin(&pin);
        self.needles.add_pin(&wrong(&pin));
        self.needles.add("SMS", texts.last().unwrap());
        for (typed_pin, outcome) in
            [(&wrong(&pin), Outcome::WrongPin), (&pin, Outcome::Redeemed), (&pin, Outcome::NoOpenPin)]
        {
            let answer = self.world.redeem(person.reference(), typed_pin).await.unwrap();
            assert_eq!(answer.outcome(), outcome);
        }
        self.take_dump().await;
    }

    async fn play_web(&mut self) {
        let anna = self.find_person("anna").await;
        self.log_in(&anna, json!({})).await;
        self.take_dump().await;
        self.world.advance(TimeDelta::hours(24)).await;
        let rejected = self.log_in(&anna, json!({ "assurance": "Low" })).await;
        assert_eq!(reasons(&rejected), [Reason::AssuranceTooLow]);
        let login = self.log_in(&anna, json!({})).await;
        self.order_and_redeem("web", &anna, &login.verification_id).await;
    }

    async fn play_phone(&mut self) {
        let yasmin = self.find_person("english").await;
        let agent = self.world.agent_token(CLERK).await;
        self.needles.add_token(&agent);
        self.needles.add("agent", CLERK);
        self.world.fail_verification(&yasmin).await;
        self.needles.add("document number", &unknown_document().number);
        let response = self.world.begin_questions(&yasmin).await;
        self.needles.add("wrong answer", "Blåbærgrødvej 17");
        let one_right_answer = |index, question: &Question| {
            if index == 0 { right_answer(&yasmin, question) } else { "Blåbærgrødvej 17".into() }
        };
        let extra = self.world.answer("phone", &response, one_right_answer).await.unwrap();
        let verified = self.world.answer_right("phone", &yasmin, &extra, 1).await;
        self.order_and_redeem("phone", &yasmin, &verified.verification_id).await;
    }

    async fn play_counter(&mut self) {
        let nivi = self.find_person("greenlandic-mobile").await;
        let aksel = self.find_person("witness").await;
        // The login of a witness that does not serve, and one that does. The gateway is down, so the SMS to the witness waits.
        self.world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
        let too_weak = self.witness(&aksel, json!({ "assurance": "Low" })).await;
        let visit = self.world.counter_evidence(&nivi, too_weak).await;
        let rejected = self.world.visit_counter(visit).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted]);
        let witness = self.witness(&aksel, json!({})).await;
        let mut visit = self.world.counter_evidence(&nivi, witness).await;
        visit.mrz_lines = nivi.mrz_lines();
        let verified = self.world.visit_counter(visit).await.unwrap();
        self.order_and_redeem("counter", &nivi, &verified.verification_id).await;
    }

    /// A witness whose token and nonce must not be written.
    async fn witness(&mut self, person: &Person, options: Value) -> Confirmation {
        let witness = self.world.witness_with(person, person.document(), options).await;
        self.needles.add_token(&witness.login_token);
        self.needles.add("nonce", &witness.nonce);
        Confirmation::Witness(witness)
    }

    async fn play_failures(&mut self) {
        let person = self.find_person("accents").await;
        let stranger = self.find_person("bjarne").await;
        self.needles.add_cpr_number("010158-5999");
        self.world.call_support_with(unknown_person(), person.document()).await.unwrap();
        self.world.call_support_with(person.reference(), stranger.document()).await.unwrap();
        let response = self.world.begin_questions(&person).await;
        self.world.answer_right("phone", &person, &response, 0).await;

        let witness = self.world.witness_with(&stranger, stranger.document(), json!({})).await;
        let userinfo_token = self.world.id_token(&stranger, "nonce-of-userinfo", &json!({})).await;
        self.needles.add_token(&userinfo_token);
        let confirmation = Confirmation::Witness(Witness { userinfo_token, ..witness });
        let visit = self.world.counter_evidence(&person, confirmation).await;
        let rejected = self.world.visit_counter(visit).await.unwrap();
        assert_eq!(reasons(&rejected), [Reason::WitnessLoginNotAccepted]);

        // Personal data in the wrong fields, and a body that is cut off after a CPR number.
        let cpr_number = person.0["cpr_number"].as_str().unwrap().to_owned();
        let mut visit = self.world.counter_evidence(&person, self.world.vouches(&stranger).await).await;
        visit.office_id.clone_from(&cpr_number);
        visit.appointment_reference = person.0["name"].as_str().unwrap().to_owned();
        visit.mrz_lines = vec![cpr_number.clone(); 3];
        self.world.visit_counter(visit).await.unwrap_err().assert(Code::InvalidArgument, Reason::InvalidField);
        let path = "temporarypin.v1.TemporaryPinService/CheckEligibility";
        let body = frame_message(format!("\x0a\x7f\x0a\x0a{cpr_number}").as_bytes());
        let refusal = RawCall { path, caller: Some("web"), body }.expect_refusal(&self.world).await;
        refusal.assert(Code::InvalidArgument, Reason::InvalidField);

        self.world.sandbox.post("/register", json!({ "mode": "down" })).await;
        self.world.call_support(&person).await.unwrap_err().assert(Code::Unavailable, Reason::Unavailable);
        self.world.redeem(person.reference(), "12341234").await.unwrap_err();
        self.needles.add_pin("12341234");
        self.world.sandbox.post("/register", json!({ "mode": "up" })).await;
        self.take_dump().await;
    }
}
