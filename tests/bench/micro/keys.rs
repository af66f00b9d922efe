//! The key ring: pseudonyms, the verifier of a PIN, the verification id.

use std::hint::black_box;

use chrono::DateTime;
use criterion::Criterion;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::MitidUuid;
use temporary_pin::domain::pin::Pin;
use temporary_pin::issuance::verification_id::VerificationId;
use temporary_pin::random;
use uuid::Uuid;

pub(crate) fn measure(criterion: &mut Criterion) {
    let keys = crate::key_ring();
    let person = MitidUuid(Uuid::from_u128(1));
    criterion.bench_function("pseudonym of a person", |bencher| {
        bencher.iter(|| keys.person_key(black_box(person)));
    });

    criterion.bench_function("PIN: draw", |bencher| bencher.iter(|| Pin::draw(&mut random::secure())));
    let (pin_request, pin) = (Uuid::from_u128(2), Pin::parse("12345678").unwrap());
    criterion.bench_function("PIN: make the verifier", |bencher| {
        bencher.iter(|| keys.make_pin_verifier(pin_request, black_box(&pin), &mut random::secure()));
    });
    let verifier = keys.make_pin_verifier(pin_request, &pin, &mut random::secure());
    criterion.bench_function("PIN: compare with the verifier", |bencher| {
        bencher.iter(|| assert!(keys.pin_matches(pin_request, black_box(&pin), &verifier)));
    });

    let id = VerificationId {
        verification: Uuid::from_u128(3),
        person,
        channel: Channel::Phone,
        create_time: DateTime::UNIX_EPOCH,
        mobile: keys.mobile_key(&MobileNumber::parse("+4520123456").unwrap()),
        agent: Some(keys.agent_key("https://workforce.example", "agent-1")),
    };
    criterion.bench_function("verification id: seal", |bencher| {
        bencher.iter(|| black_box(&id).seal(&keys, "phone"));
    });
    let sealed = id.seal(&keys, "phone");
    criterion.bench_function("verification id: open", |bencher| {
        bencher.iter(|| VerificationId::open(black_box(&sealed), &keys, "phone", Channel::Phone).unwrap());
    });
}
