//! The client of the identity register against a fake register that can misbehave.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the fake register is not part of the service: its errors need no details"
)]

mod answers;
mod calls;
mod fake_register;
mod frame_observer;
mod successors;
mod tls;

use std::time::Duration;

use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::person::{Person, PersonReference};
use temporary_pin::proto::identityregister::v1 as proto;
use temporary_pin::register::{Register, RegisterSettings, RegisterUnavailable};
use tokio::net::TcpListener;

use fake_register::{FakeRegister, Serving};

const CPR: &str = "0101605888";
const MITID: &str = "9d6cbe7c-2a4b-4d0e-9b43-6a7d1f2e3c4b";

/// A register that knows one person, and a client of it.
struct World {
    fake: FakeRegister,
    register: Register,
    _server: Serving,
}

impl World {
    async fn new() -> Self {
        let fake = FakeRegister::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let register = Register::connect_lazy(settings(&listener)).unwrap();
        fake.state().people.insert(CPR.into(), person());
        fake.state().people.insert(MITID.into(), person());
        let server = fake.serve(listener);
        Self { fake, register, _server: server }
    }

    /// The register knows the person with this change.
    async fn knowing(change: impl FnOnce(&mut proto::Person)) -> Self {
        let world = Self::new().await;
        let mut person = person();
        change(&mut person);
        world.fake.state().people.insert(CPR.into(), person);
        world
    }

    async fn look_up(&self) -> Result<Option<Person>, RegisterUnavailable> {
        self.register.look_up_person(&by_cpr(CPR)).await
    }
}

fn settings(listener: &TcpListener) -> RegisterSettings {
    test_support::log::install();
    RegisterSettings {
        url: format!("http://{}", listener.local_addr().unwrap()),
        backoff: Duration::from_millis(1),
        ..RegisterSettings::default()
    }
}

fn by_cpr(number: &str) -> PersonReference {
    PersonReference::Cpr(CprNumber::parse(number).unwrap())
}

fn person() -> proto::Person {
    proto::Person {
        cpr_number: CPR.into(),
        cpr_status: "01".into(),
        successor_cpr_number: String::new(),
        birth_date: "1960-01-01".into(),
        protection: proto::Protection::None.into(),
        facts: vec![fact(proto::fact::Kind::Birthplace, "Nuuk")],
        mitid_account: Some(proto::MitidAccount {
            mitid_uuid: MITID.into(),
            state: proto::mitid_account::State::Active.into(),
            enrolment_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            language: "kl".into(),
            mobile_number: "+4520123456".into(),
            mobile_number_change_time: Some(prost_types::Timestamp { seconds: 1_750_000_000, nanos: 0 }),
            ..proto::MitidAccount::default()
        }),
        ..proto::Person::default()
    }
}

fn fact(kind: proto::fact::Kind, value: &str) -> proto::Fact {
    proto::Fact {
        kind: kind.into(),
        value: value.into(),
        certainty: proto::fact::Certainty::Certain.into(),
        ..proto::Fact::default()
    }
}
