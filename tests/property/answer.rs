use chrono::{Datelike as _, NaiveDate, TimeDelta};
use proptest::prelude::*;
use proptest::sample::select;
use temporary_pin::domain::answer::is_right;
use temporary_pin::domain::fact::{Fact, FactKind};

const MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
];

fn facts(kind: FactKind, value: &str) -> [Fact; 1] {
    [Fact { kind, values: vec![value.to_owned()], certain: true }]
}

/// A letter of a name in one of its equivalent spellings.
fn respell(letter: char, choice: u8) -> String {
    let spellings: &[&str] = match letter {
        'æ' => &["æ", "Æ", "ae", "ä", "a\u{308}", "AE"],
        'ø' => &["ø", "Ø", "oe", "ö", "o\u{308}", "Oe"],
        'å' => &["å", "Å", "aa", "a\u{30a}", "AA"],
        'é' => &["é", "É", "e", "e\u{301}", "E"],
        'ü' => &["ü", "u", "U", "u\u{308}"],
        ' ' => &[" ", "", "  ", "-", ". ", "\t"],
        other => return if choice.is_multiple_of(2) { other.to_string() } else { other.to_uppercase().to_string() },
    };
    spellings[usize::from(choice) % spellings.len()].to_owned()
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0..73_000_i64).prop_map(|days| NaiveDate::from_ymd_opt(1900, 1, 1).expect("a date") + TimeDelta::days(days))
}

/// The date in all accepted forms: first those with the century, then those without.
fn write_forms(date: NaiveDate) -> (Vec<String>, Vec<String>) {
    let (day, month, year) = (date.day(), date.month(), date.year());
    let (name, short) = (MONTHS[date.month0() as usize], year % 100);
    let full = vec![
        date.to_string(),
        format!("{day}.{month}.{year}"),
        format!("{day:02}-{month:02}-{year}"),
        format!("{day}/{month} {year}"),
        format!("{day}. {name} {year}"),
        format!("Den {day}. {} {year}", &name[..3].to_uppercase()),
        format!("{day:02}{month:02}{year}"),
        format!("{year}{month:02}{day:02}"),
    ];
    let short = vec![
        format!("{day:02}{month:02}{short:02}"),
        format!("{day}.{month}.{short:02}"),
        format!("{day}. {name} {short:02}"),
    ];
    (full, short)
}

proptest! {
    #[test]
    fn r17_a_name_is_right_in_every_spelling(
        letters in prop::collection::vec((select("bcdfæøåéü ".chars().collect::<Vec<_>>()), any::<u8>()), 0..30),
    ) {
        let fact: String = letters.iter().map(|(letter, _)| *letter).chain(['x']).collect();
        let answer: String = letters.iter().map(|(letter, choice)| respell(*letter, *choice)).chain(["X".to_owned()]).collect();
        prop_assert!(is_right(FactKind::PreviousSurname, &answer, &facts(FactKind::PreviousSurname, &fact)));
        // A name with one letter more, less or changed is another name.
        for wrong in [format!("{answer}y"), answer.replace('X', "y"), answer.replace('X', "")] {
            prop_assert!(!is_right(FactKind::PreviousSurname, &wrong, &facts(FactKind::PreviousSurname, &fact)));
        }
    }

    #[test]
    fn r17_a_date_is_right_in_every_form_and_another_date_in_none(truth in date(), other in date()) {
        let facts = facts(FactKind::MotherBirthDate, &truth.to_string());
        let is_right = |answer: &String| is_right(FactKind::MotherBirthDate, answer, &facts);
        let (full, short) = write_forms(truth);
        prop_assert!(full.iter().all(is_right), "{:?}", full);
        prop_assert!(short.iter().all(is_right), "{:?}", short);
        prop_assume!(other != truth);
        let (full, short) = write_forms(other);
        prop_assert!(!full.iter().any(is_right), "{:?}", full);
        let differs_by_centuries = (other.day(), other.month()) == (truth.day(), truth.month())
            && other.year() % 100 == truth.year() % 100;
        prop_assert!(differs_by_centuries || !short.iter().any(is_right), "{:?}", short);
    }

    #[test]
    fn r17_a_year_is_right_with_its_four_digits_only(truth in 1000..=9999_u32, other in 0..=20_000_u32) {
        let facts = facts(FactKind::WeddingYear, &truth.to_string());
        let punctuated = format!(" {truth}.");
        prop_assert!(is_right(FactKind::WeddingYear, &punctuated, &facts));
        prop_assert_eq!(is_right(FactKind::WeddingYear, &other.to_string(), &facts), other == truth);
    }

    #[test]
    fn r17_no_text_panics_or_answers_a_question_of_another_kind(
        kind in select(FactKind::ALL.to_vec()), asked in select(FactKind::ALL.to_vec()),
        answer: String, value in prop_oneof![any::<String>(), "[0-9]{4,8}", "[0-9]{1,4}[-./ ][0-9a-zæøå]{1,9}[-./ ][0-9]{1,4}"],
    ) {
        let _ = is_right(kind, &answer, &facts(kind, &value));
        prop_assert!(kind == asked || !is_right(asked, &value, &facts(kind, &value)));
        let uncertain = [Fact { kind, values: vec![value.clone()], certain: false }];
        prop_assert!(!is_right(kind, &value, &uncertain));
    }
}
