//! A table of answers that are right, and answers that are wrong (R17).

use temporary_pin::domain::answer::is_right;
use temporary_pin::domain::fact::{Fact, FactKind};

const TABLE: &str = include_str!("answer_variants.tsv");

/// Least number of right answers, and of wrong ones, in the table.
const LEAST_VARIANTS: usize = 150;

/// The text with `\\u{301}` replaced by the character of that number. Combining marks could not be seen in the table.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |written, part| {
        let (number, rest) = part.split_once('}').expect("a closing bracket");
        let character = u32::from_str_radix(number, 16).ok().and_then(char::from_u32).expect("a character");
        format!("{written}{character}{rest}")
    })
}

#[test]
fn r17_every_variant_in_the_table_is_judged_as_it_says() {
    let (mut right, mut wrong, mut misjudged) = (0, 0, Vec::new());
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [verdict, kind, values, answer] = columns[..] else { panic!("{line}: not four columns") };
        let kind = FactKind::from_name(kind).unwrap_or_else(|| panic!("{line}: no such kind"));
        let fact = Fact { kind, values: values.split('|').map(str::to_owned).collect(), certain: true };
        let is_expected_right = match verdict {
            "right" => true,
            "wrong" => false,
            _ => panic!("{line}: neither right nor wrong"),
        };
        *if is_expected_right { &mut right } else { &mut wrong } += 1;
        if is_right(kind, &unescape(answer), &[fact]) != is_expected_right {
            misjudged.push(line);
        }
    }
    assert!(misjudged.is_empty(), "{misjudged:#?}");
    assert!(right >= LEAST_VARIANTS && wrong >= LEAST_VARIANTS, "{right} right, {wrong} wrong");
}
