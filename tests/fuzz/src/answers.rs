//! Answers to questions, including dates.

use temporary_pin::domain::answer::is_right;
use temporary_pin::domain::fact::{Fact, FactKind};

use super::{first_line, text};

/// Input: `<kind><fact>\n<answer>`. Equality of answers is symmetric, but for roads; an answer with content equals itself; an answer is right
/// only for its own kind and for certain facts.
pub fn answer(data: &[u8]) -> bool {
    let Some((kind, rest)) = data.split_first() else { return false };
    let kind = FactKind::ALL[usize::from(*kind) % FactKind::ALL.len()];
    let (fact, answer) = first_line(rest);
    let (Some(fact), Some(answer)) = (text(fact), text(answer)) else { return false };
    let facts = |value: &str, certain| [Fact { kind, values: vec![value.to_owned()], certain }];

    let right = is_right(kind, answer, &facts(fact, true));
    // Only the answer may have a house number.
    if kind != FactKind::PreviousRoad {
        assert_eq!(right, is_right(kind, fact, &facts(answer, true)), "not mutual");
    }
    if right {
        assert!(is_right(kind, answer, &facts(answer, true)) && is_right(kind, fact, &facts(fact, true)));
        assert!(is_right(kind, &format!(" {answer}. "), &facts(fact, true)), "space and a full stop are forgiven");
    }
    assert!(!is_right(kind, answer, &facts(fact, false)), "an uncertain fact");
    let other = if kind == FactKind::ALL[0] { FactKind::ALL[1] } else { FactKind::ALL[0] };
    assert!(!is_right(other, answer, &facts(fact, true)), "another kind");
    assert_eq!(format!("{:?}", facts(fact, true)), format!("{:?}", facts("", true)), "not masked");
    right
}
