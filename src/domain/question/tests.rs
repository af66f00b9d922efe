use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rstest::rstest;

use super::super::fixture::{at, certain};
use super::FactKind::{Birthplace, MotherBirthDate, MovedInYear, PreviousRoad, PreviousSurname, WeddingYear};
use super::*;

fn facts() -> Vec<Fact> {
    vec![
        certain(PreviousRoad, "Nørrebrogade"),
        certain(MovedInYear, "2015"),
        certain(Birthplace, "Aarhus"),
        certain(WeddingYear, "2010"),
        certain(MotherBirthDate, "1950-02-01"),
    ]
}

#[rstest]
#[case::all(facts(), false, &[], Ok(vec![PreviousRoad, MovedInYear, Birthplace, WeddingYear, MotherBirthDate]))]
#[case::addresses_are_left_out_under_protection(facts(), true, &[], Ok(vec![Birthplace, WeddingYear, MotherBirthDate]))]
#[case::protected_and_asked_before(facts(), true, &[WeddingYear], Err(InsufficientData))]
#[case::kinds_asked_before_are_left_out(
    facts(),
    false,
    &[PreviousRoad, WeddingYear],
    Ok(vec![MovedInYear, Birthplace, MotherBirthDate])
)]
#[case::too_few_left(facts(), false, &[PreviousRoad, WeddingYear, Birthplace], Err(InsufficientData))]
#[case::two_of_a_kind_are_one_question(
    vec![certain(Birthplace, "Aarhus"), certain(WeddingYear, "2010"), certain(WeddingYear, "2020")],
    false,
    &[],
    Err(InsufficientData)
)]
#[case::uncertain_facts_are_left_out(
    vec![
        certain(Birthplace, "Aarhus"),
        certain(WeddingYear, "2010"),
        Fact { certain: false, ..certain(PreviousSurname, "Holm") },
    ],
    false,
    &[],
    Err(InsufficientData)
)]
#[case::facts_without_a_possible_answer_are_left_out(
    vec![certain(Birthplace, " - "), certain(WeddingYear, "2010"), certain(PreviousSurname, "Holm")],
    false,
    &[],
    Err(InsufficientData)
)]
#[case::invalid_dates_are_left_out(
    vec![certain(MotherBirthDate, "0000-00-00"), certain(WeddingYear, "2010"), certain(PreviousSurname, "Holm")],
    false,
    &[],
    Err(InsufficientData)
)]
#[case::no_facts(vec![], false, &[], Err(InsufficientData))]
fn r16_three_kinds_are_drawn_from_those_that_can_be_asked(
    #[case] facts: Vec<Fact>,
    #[case] protected: bool,
    #[case] asked_before: &[FactKind],
    #[case] expected: Result<Vec<FactKind>, InsufficientData>,
) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut seen = Vec::new();
    for _ in 0..200 {
        match draw_questions(&facts, protected, asked_before, &mut rng) {
            Ok(drawn) => seen.extend(drawn),
            Err(error) => return assert_eq!(Err(error), expected),
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(Ok(seen), expected);
}

#[test]
fn r16_the_extra_question_is_about_a_new_kind() {
    let mut rng = StdRng::seed_from_u64(1);
    let asked = [PreviousRoad, MovedInYear, Birthplace, WeddingYear];
    assert_eq!(draw_extra_question(&facts(), false, &asked, &mut rng), Some(MotherBirthDate));
    assert_eq!(draw_extra_question(&facts(), false, &[asked.as_slice(), &[MotherBirthDate]].concat(), &mut rng), None);
    assert_eq!(draw_extra_question(&facts(), true, &[Birthplace, WeddingYear, MotherBirthDate], &mut rng), None);
}

#[rstest]
#[case::three_of_three(3, 3, true, Progress::Passed)]
#[case::two_of_three(2, 3, true, Progress::Passed)]
#[case::one_of_three(1, 3, true, Progress::ExtraQuestion)]
#[case::one_of_three_and_no_extra_possible(1, 3, false, Progress::Failed)]
#[case::three_wrong_fail(0, 3, true, Progress::Failed)]
#[case::two_of_four(2, 4, true, Progress::Passed)]
#[case::only_one_extra(1, 4, true, Progress::Failed)]
#[case::nothing_answered(0, 0, true, Progress::Failed)]
fn r16_two_right_answers_pass_and_one_of_three_gets_an_extra_question(
    #[case] right: usize,
    #[case] answered: usize,
    #[case] extra_possible: bool,
    #[case] expected: Progress,
) {
    assert_eq!(judge_progress(right, answered, extra_possible), expected);
}

#[test]
fn r16_each_name_leads_back_to_its_kind() {
    for kind in FactKind::ALL {
        assert_eq!(FactKind::from_name(kind.as_str()), Some(kind));
    }
    assert_eq!(FactKind::from_name("shoe_size"), None);
}

#[test]
fn debug_does_not_show_the_value() {
    assert!(!format!("{:?}", certain(Birthplace, "Aarhus")).contains("Aarhus"));
}

#[rstest]
#[case::nothing_is_remembered(&[], None)]
#[case::as_many_as_there_are_to_spare(&[(WeddingYear, "2026-11-25T12:00:00Z"), (Birthplace, "2026-11-26T12:00:00Z")], None)]
#[case::one_more(
    &[
        (WeddingYear, "2026-11-25T12:00:00Z"),
        (MovedInYear, "2026-12-24T12:00:00Z"),
        (Birthplace, "2026-11-26T12:00:00Z"),
    ],
    Some("2026-11-25T12:00:00Z")
)]
#[case::two_more(
    &[
        (WeddingYear, "2026-11-25T12:00:00Z"),
        (PreviousRoad, "2026-12-01T12:00:00Z"),
        (MovedInYear, "2026-12-24T12:00:00Z"),
        (Birthplace, "2026-11-26T12:00:00Z"),
    ],
    Some("2026-11-26T12:00:00Z")
)]
#[case::another_kind_is_remembered(
    &[
        (WeddingYear, "2026-11-25T12:00:00Z"),
        (Birthplace, "2026-11-26T12:00:00Z"),
        (PreviousSurname, "2026-12-24T12:00:00Z"),
    ],
    None
)]
fn r16_questions_are_possible_again_when_enough_kinds_are_forgotten(
    #[case] remembered: &[(FactKind, &str)],
    #[case] until: Option<&str>,
) {
    let remembered: Vec<_> =
        remembered.iter().map(|(kind, until)| RememberedKind { kind: *kind, until: at(until) }).collect();
    let expected = until.map(|until| Denial::until(Reason::InsufficientData, at(until)));
    assert_eq!(find_question_denial(&facts(), false, &remembered), expected);
}

#[test]
fn r16_waiting_does_not_help_where_the_register_knows_too_little() {
    let expected = Some(Denial::lasting(Reason::InsufficientData));
    assert_eq!(find_question_denial(&facts()[..2], false, &[]), expected);
    let remembered = [RememberedKind { kind: WeddingYear, until: at("2026-11-25T12:00:00Z") }];
    assert_eq!(find_question_denial(&facts()[..2], false, &remembered), expected);
    assert_eq!(find_question_denial(&facts(), true, &[]), None);
    assert_eq!(find_question_denial(&facts()[..4], true, &[]), expected);
}
