//! SMS: the text, and the sealed body in the outbox.

use std::hint::black_box;

use chrono::DateTime;
use criterion::Criterion;
use temporary_pin::domain::language::Language;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::pin::Pin;
use temporary_pin::sms::sealed_message::{open_message, seal_message};
use temporary_pin::texts::{SmsText, Texts};
use uuid::Uuid;

pub(crate) fn measure(criterion: &mut Criterion) {
    criterion.bench_function("all texts: load", |bencher| bencher.iter(Texts::load));
    let texts = Texts::load();
    let recipient = MobileNumber::parse("+4520123456").unwrap();
    let pin = Pin::parse("12345678").unwrap();
    let expire_time = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    let write = |language| texts.render_sms(&SmsText::Pin { pin: black_box(&pin), expire_time }, language, &recipient);
    for language in [Language::Da, Language::En] {
        let name = format!("SMS: write in {}", language.code());
        criterion.bench_function(&name, |bencher| bencher.iter(|| write(language)));
    }

    let (keys, id, text) = (crate::key_ring(), Uuid::from_u128(1), write(Language::Da));
    criterion.bench_function("SMS: seal", |bencher| {
        bencher.iter(|| seal_message(&keys, id, &recipient, black_box(&text)));
    });
    let sealed = seal_message(&keys, id, &recipient, &text);
    criterion.bench_function("SMS: open", |bencher| {
        bencher.iter(|| open_message(&keys, id, black_box(&sealed)).unwrap());
    });
}
