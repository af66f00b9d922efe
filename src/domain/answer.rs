//! Compares a person's answer with the facts in the register (R17).
//!
//! Both texts are brought into normal forms, so that case, accents, spelling variants, date formats and the words around a place,
//! a road or a year do not matter. The normal forms are compared in constant time.

mod dates;
mod place_names;
mod places;
mod roads;
mod words;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;

use self::words::{join_name, split_into_spellings};
use super::fact::{Fact, FactKind};

/// Whether the answer is right: it has the same meaning as one of the certain facts of that kind.
///
/// The function compares with every fact, and each comparison takes constant time. So the time taken does not reveal which
/// fact matched, or how much of it.
#[must_use]
pub fn is_right(kind: FactKind, answer: &str, facts: &[Fact]) -> bool {
    // Digests have one length, so that the comparison does not depend on the length of the texts.
    let answer_digests: Vec<_> =
        answer_forms(kind, answer).iter().map(|form| digest(&SHA256, form.as_bytes())).collect();
    let mut is_right = false;
    for fact in facts {
        for form in fact.values.iter().flat_map(|value| fact_forms(fact.kind, value)) {
            let fact_digest = digest(&SHA256, form.as_bytes());
            for answer_digest in &answer_digests {
                let is_equal = verify_slices_are_equal(fact_digest.as_ref(), answer_digest.as_ref()).is_ok();
                // `&` and not `&&`, which would skip work.
                is_right |= is_equal & (fact.kind == kind) & fact.certain;
            }
        }
    }
    is_right
}

/// Whether a question can be asked about the fact: it is certain, and some answer to it can be right. A birthplace is asked only
/// where one of its values is what a person would say (R16).
pub(super) fn can_be_asked(fact: &Fact) -> bool {
    let is_answerable = |value: &String| {
        let is_said = fact.kind != FactKind::Birthplace || places::is_said_by_persons(value);
        is_said && !fact_forms(fact.kind, value).is_empty()
    };
    fact.certain && fact.values.iter().any(is_answerable)
}

/// The possible meanings of a value in the register, each in its normal form. Empty if the value has no meaning.
fn fact_forms(kind: FactKind, value: &str) -> Vec<String> {
    match kind {
        FactKind::PreviousRoad => roads::fact_forms(value),
        _ => answer_forms(kind, value),
    }
}

/// The possible meanings of an answer, each in its normal form.
fn answer_forms(kind: FactKind, text: &str) -> Vec<String> {
    match kind {
        FactKind::SpouseBirthDate
        | FactKind::ChildBirthDate
        | FactKind::MotherBirthDate
        | FactKind::FatherBirthDate => dates::parse_dates(text).iter().map(NaiveDate::to_string).collect(),
        FactKind::WeddingYear | FactKind::MovedInYear => dates::normalize_year(text).into_iter().collect(),
        FactKind::PreviousMunicipality => places::municipality_forms(text),
        FactKind::Birthplace => places::birthplace_forms(text),
        FactKind::PreviousRoad => roads::answer_forms(text),
        FactKind::PreviousSurname => split_into_spellings(text).iter().filter_map(|words| join_name(words)).collect(),
    }
}

#[cfg(test)]
mod tests;
