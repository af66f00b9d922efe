//! The three sizes of a machine readable zone: where each field is, and how it is read and checked.

use std::ops::Range;

use super::check_digit::{compute_check_digit, is_birth_date, read_checked};
use super::{Mrz, MrzError, french_card};

/// The country whose long numbers may have a check digit that covers the filler, too (PRADO, BEL-BO-03003).
const BELGIUM: &str = "BEL";

/// The positions of the fields in one of the three sizes. Positions are byte offsets into all lines joined.
struct Layout {
    line_length: usize,
    /// The first letters that the document code may have.
    first_letters: &'static [u8],
    number: Range<usize>,
    birth_date: Range<usize>,
    expiry_date: Range<usize>,
    optional: Range<usize>,
    /// Further optional data, which have no check digit of their own.
    more_optional: Range<usize>,
    /// Whether the optional data have their own check digit, right after them.
    has_optional_digit: bool,
    /// The ranges that the composite check digit covers.
    composite: &'static [Range<usize>],
    composite_digit: usize,
}

/// Three lines of 30 characters: cards (ICAO Doc 9303 part 5).
const TD1: Layout = Layout {
    line_length: 30,
    first_letters: b"ACI",
    number: 5..14,
    birth_date: 30..36,
    expiry_date: 38..44,
    optional: 15..30,
    more_optional: 48..59,
    has_optional_digit: false,
    composite: &[5..37, 38..45, 48..59],
    composite_digit: 59,
};

/// Two lines of 36 characters: older cards (part 6).
const TD2: Layout = Layout {
    line_length: 36,
    first_letters: b"ACI",
    number: 36..45,
    birth_date: 49..55,
    expiry_date: 57..63,
    optional: 64..71,
    more_optional: 71..71,
    has_optional_digit: false,
    composite: &[36..46, 49..56, 57..71],
    composite_digit: 71,
};

/// Two lines of 44 characters: passports (part 4).
const TD3: Layout = Layout {
    line_length: 44,
    first_letters: b"P",
    number: 44..53,
    birth_date: 57..63,
    expiry_date: 65..71,
    optional: 72..86,
    more_optional: 86..86,
    has_optional_digit: true,
    composite: &[44..54, 57..64, 65..87],
    composite_digit: 87,
};

impl Mrz {
    /// Parses the scanned lines. Spaces around a line are ignored.
    pub fn parse(lines: &[String]) -> Result<Self, MrzError> {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let layout = match lines[..] {
            [first, _, _] if first.len() == TD1.line_length => TD1,
            [first, _] if first.len() == TD2.line_length => TD2,
            [first, _] if first.len() == TD3.line_length => TD3,
            _ => return Err(MrzError::Form),
        };
        let zone = lines.concat();
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
        if lines.iter().any(|line| line.len() != layout.line_length) || !zone.bytes().all(allowed) {
            return Err(MrzError::Form);
        }
        // The checks above make this safe: every character is one byte, and every range of the layout lies within the zone.
        if layout.line_length == TD2.line_length && zone.starts_with(french_card::FIRST_LETTERS) {
            return french_card::read(&zone);
        }
        layout.read(&zone)
    }
}

impl Layout {
    /// Reads the zone and checks its check digits.
    fn read(&self, zone: &str) -> Result<Mrz, MrzError> {
        if !self.is_code(&zone[..2]) {
            return Err(MrzError::DocumentCode);
        }
        let composite: String = self.composite.iter().map(|range| &zone[range.clone()]).collect();
        let composite_digit = zone.as_bytes()[self.composite_digit];
        let number = self.read_number(zone)?;
        read_checked(zone, &self.birth_date)?;
        read_checked(zone, &self.expiry_date)?;
        let optional = &zone[self.optional.clone()];
        let optional_digit = zone.as_bytes()[self.optional.end];
        let is_optional_empty = optional.bytes().all(|byte| byte == b'<') && optional_digit == b'<';
        if compute_check_digit(&composite) != composite_digit
            || (self.has_optional_digit && !is_optional_empty && compute_check_digit(optional) != optional_digit)
        {
            return Err(MrzError::CheckDigit);
        }
        let expiry_date = &zone[self.expiry_date.clone()];
        let birth_date = &zone[self.birth_date.clone()];
        if !expiry_date.bytes().all(|byte| byte.is_ascii_digit()) || !is_birth_date(birth_date) {
            return Err(MrzError::Form);
        }
        Ok(Mrz {
            document_code: zone[..2].replace('<', ""),
            issuer: zone[2..5].replace('<', ""),
            number,
            birth_date: birth_date.to_owned(),
            expiry_date: Some(expiry_date.to_owned()),
            optional: format!("{optional}<{}", &zone[self.more_optional.clone()]),
        })
    }

    /// Whether documents of this size can have that code. The standard excludes V as the second letter, and reserves AC for
    /// certificates of crew members, which are no identity cards.
    fn is_code(&self, code: &str) -> bool {
        let [first, second] = code.as_bytes() else { return false };
        self.first_letters.contains(first) && *second != b'V' && code != "AC" && !second.is_ascii_digit()
    }

    /// The document number. On cards, a number that is too long for its field continues in the optional data: `<` takes the
    /// place of the check digit, and the rest of the number, its check digit and `<` follow in the optional data (part 5).
    fn read_number(&self, zone: &str) -> Result<String, MrzError> {
        let bytes = zone.as_bytes();
        let is_long = !self.has_optional_digit && bytes[self.number.end] == b'<';
        let number = if is_long {
            let rest = zone[self.optional.clone()].split('<').next().unwrap_or_default();
            let (rest, digit) = rest.split_at_checked(rest.len().saturating_sub(1)).ok_or(MrzError::Form)?;
            let first = &zone[self.number.clone()];
            let number = format!("{first}{rest}");
            let is_digit = |text: &str| digit.as_bytes() == [compute_check_digit(text)];
            let is_belgian = || &zone[2..5] == BELGIUM && is_digit(&format!("{first}<{rest}"));
            if !is_digit(&number) && !is_belgian() {
                return Err(MrzError::CheckDigit);
            }
            number
        } else {
            read_checked(zone, &self.number)?.to_owned()
        };
        Ok(number.replace('<', ""))
    }
}
