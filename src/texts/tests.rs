use rstest::rstest;

use super::gsm7::{SEPTETS_PER_SEGMENT, count_septets};
use super::*;

const DANISH: &str = "+4520123456";
const GREENLANDIC: &str = "+299221234";
const FAROESE: &str = "+298211234";
const SWEDISH: &str = "+46701234567";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn number(e164: &str) -> MobileNumber {
    MobileNumber::parse(e164).unwrap()
}

fn pin_sms(language: Language, recipient: &str, expire_time: &str) -> Zeroizing<String> {
    let pin = Pin::parse("01234567").unwrap();
    Texts::load().render_sms(&SmsText::Pin { pin: &pin, expire_time: at(expire_time) }, language, &number(recipient))
}

/// Every text in every language and time zone, at times that cover every day of a year and every hour of a day.
#[test]
fn r24_every_sms_is_one_gsm7_segment() {
    let texts = Texts::load();
    let pin = Pin::parse("00000000").unwrap();
    let year = at("2026-01-01T00:00:00Z");
    let times = (0..365).map(|day| year + chrono::Duration::days(day) + chrono::Duration::minutes(day * 4));
    for time in times {
        for language in Language::ALL {
            for recipient in [DANISH, GREENLANDIC, FAROESE, SWEDISH].map(number) {
                for text in [
                    SmsText::Pin { pin: &pin, expire_time: time },
                    SmsText::AccessRequested { eligible_time: time },
                    SmsText::HoldPassed { expire_time: time },
                    SmsText::AccessCancelled,
                    SmsText::PinRevoked,
                    SmsText::Witnessed { time },
                ] {
                    let text = texts.render_sms(&text, language, &recipient);
                    let length = count_septets(&text).expect("GSM-7 characters only");
                    assert!(length <= SEPTETS_PER_SEGMENT, "{length} septets in {language:?}: {}", *text);
                    assert!(!text.contains(['{', '}', '$']), "an unresolved value: {}", *text);
                    assert!(!text.contains("http") && !text.contains(".dk"), "a link: {}", *text);
                    assert!(text.contains("+45 33 98 00 10"), "no way to stop it: {}", *text);
                }
            }
        }
    }
}

#[rstest]
#[case::danish_summer(DANISH, "2026-07-01T12:32:00Z", "kl. 14.32.")]
#[case::danish_winter(DANISH, "2026-12-01T12:32:00Z", "kl. 13.32.")]
#[case::greenlandic(GREENLANDIC, "2026-12-01T12:32:00Z", "kl. 10.32.")]
#[case::faroese(FAROESE, "2026-12-01T12:32:00Z", "kl. 12.32.")]
#[case::elsewhere(SWEDISH, "2026-12-01T12:32:00Z", "kl. 13.32 dansk tid.")]
fn r24_the_expiry_is_a_clock_time_in_the_country_of_the_number(
    #[case] recipient: &str,
    #[case] expire_time: &str,
    #[case] expected: &str,
) {
    let text = pin_sms(Language::Da, recipient, expire_time);
    assert!(text.contains(expected), "{}", *text);
}

#[rstest]
#[case(Language::Da)]
#[case(Language::En)]
#[case(Language::Kl)]
fn r24_the_text_contains_the_pin_in_two_groups(#[case] language: Language) {
    assert!(pin_sms(language, DANISH, "2026-12-01T12:32:00Z").contains("0123 4567"));
}

#[test]
fn r24_each_language_has_its_own_text() {
    let text = |language| pin_sms(language, DANISH, "2026-12-01T12:32:00Z");
    assert!(text(Language::Da).contains("udløber"));
    assert!(text(Language::En).contains("expires at 13:32."));
    assert!(text(Language::Kl).contains("Kodetit allanut takutinngisaannakkit"));
}

#[test]
fn r24_a_text_missing_in_greenlandic_is_danish() {
    let texts = Texts::load();
    let text = SmsText::HoldPassed { expire_time: at("2026-12-01T12:32:00Z") };
    let sms = |language| texts.render_sms(&text, language, &number(GREENLANDIC));
    assert_eq!(*sms(Language::Kl), *sms(Language::Da));
    assert_ne!(*sms(Language::En), *sms(Language::Da));
}

#[test]
fn r9_each_language_names_what_was_ended() {
    let texts = Texts::load();
    let sms = |text, language| texts.render_sms(&text, language, &number(DANISH));
    assert!(sms(SmsText::PinRevoked, Language::Da).contains("spærret"));
    assert!(sms(SmsText::PinRevoked, Language::En).contains("revoked"));
    assert!(sms(SmsText::AccessCancelled, Language::Da).contains("annulleret"));
    assert!(sms(SmsText::AccessCancelled, Language::En).contains("cancelled"));
    // The Greenlandic texts await a native speaker, as kl.ftl says.
    assert_eq!(*sms(SmsText::PinRevoked, Language::Kl), *sms(SmsText::PinRevoked, Language::Da));
}

#[test]
fn r8_notices_contain_the_date() {
    let texts = Texts::load();
    let text = SmsText::AccessRequested { eligible_time: at("2026-12-01T23:32:00Z") };
    assert!(texts.render_sms(&text, Language::Da, &number(DANISH)).contains("2/12 kl. 00.32"));
    assert!(texts.render_sms(&text, Language::En, &number(DANISH)).contains("2 Dec 00:32"));
}

#[test]
fn r20_a_witness_reads_when_and_where_it_was() {
    let texts = Texts::load();
    let sms = |language| {
        let text = SmsText::Witnessed { time: at("2026-12-01T12:32:00Z") };
        texts.render_sms(&text, language, &number(DANISH)).to_string()
    };
    assert!(sms(Language::Da).contains("vidne for en anden person i Borgerservice 1/12 kl. 13.32."));
    assert!(sms(Language::En).contains("witness for another person at Citizen Service 1 Dec 13:32."));
    assert_eq!(sms(Language::Kl), sms(Language::Da));
}

#[test]
fn r16_every_kind_of_fact_has_its_own_question() {
    let texts = Texts::load();
    for language in Language::ALL {
        let mut questions = FactKind::ALL.map(|kind| texts.render_question(kind, language)).to_vec();
        questions.sort();
        questions.dedup();
        assert_eq!(questions.len(), FactKind::ALL.len());
    }
    assert_ne!(
        texts.render_question(FactKind::Birthplace, Language::Da),
        texts.render_question(FactKind::Birthplace, Language::En)
    );
}

/// Every reason has a text in Danish and English. If the text can contain a time, it can in both languages.
#[test]
fn every_reason_has_a_text_in_danish_and_english() {
    let texts = Texts::load();
    for reason in Reason::ALL {
        let mut texts_of_reason = Vec::new();
        for language in [Language::Da, Language::En] {
            for until in [None, Some(at("2026-11-24T12:05:00Z"))] {
                let (in_language, text) = texts.render_refusal(*reason, until, language);
                assert_eq!(in_language, language, "{reason:?} has no text");
                assert!(text.len() > 10 && text.ends_with('.'), "{reason:?}: {text}");
                assert!(!text.contains(['{', '}', '$']), "{reason:?}: an unresolved value: {text}");
                assert!(!text.contains("refusal_"), "{reason:?}: an unresolved text: {text}");
                texts_of_reason.push(text);
            }
        }
        assert_ne!(texts_of_reason[0], texts_of_reason[2], "{reason:?}: not translated");
        assert_eq!(
            texts_of_reason[0] == texts_of_reason[1],
            texts_of_reason[2] == texts_of_reason[3],
            "{reason:?}: a time in one language alone"
        );
    }
}

#[rstest]
#[case(Language::Da, Language::Da, "Kom tilbage 24.11.2026 kl. 13.05 dansk tid.")]
#[case(Language::En, Language::En, "Come back on 24 Nov 2026 at 13:05 Danish time.")]
#[case(Language::Kl, Language::Da, "Kom tilbage 24.11.2026 kl. 13.05 dansk tid.")]
fn a_refusal_gives_the_time_in_danish_time(#[case] asked: Language, #[case] given: Language, #[case] ending: &str) {
    let (language, text) = Texts::load().render_refusal(Reason::HoldRunning, Some(at("2026-11-24T12:05:00Z")), asked);
    assert_eq!(language, given);
    assert!(text.ends_with(ending), "{text}");
}
