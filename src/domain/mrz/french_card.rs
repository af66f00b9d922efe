//! The French identity card that was issued until 2021: two lines of 36 characters in a layout of its own (PRADO, FRA-BO-02002).
//! Many are valid until 2031 and longer.
//!
//! Line 1: `IDFRA`, surname, place of issue. Line 2: number of twelve characters, of which the first four are year and month of
//! issue, its check digit, given names, birth date, its check digit, sex, and the check digit of everything before it. There is
//! no expiry.

use std::ops::Range;

use super::check_digit::{compute_check_digit, is_birth_date, read_checked};
use super::{Mrz, MrzError};

/// How the zone of such a card begins. No other French document of two lines of 36 characters does.
pub(super) const FIRST_LETTERS: &str = "IDFRA";

const NUMBER: Range<usize> = 36..48;
const BIRTH_DATE: Range<usize> = 63..69;
const COMPOSITE_DIGIT: usize = 71;

/// Reads the zone, which has 72 characters of one byte each, and checks its check digits.
pub(super) fn read(zone: &str) -> Result<Mrz, MrzError> {
    let number = read_checked(zone, &NUMBER)?;
    let birth_date = read_checked(zone, &BIRTH_DATE)?;
    if zone.as_bytes()[COMPOSITE_DIGIT] != compute_check_digit(&zone[..COMPOSITE_DIGIT]) {
        return Err(MrzError::CheckDigit);
    }
    if !is_birth_date(birth_date) || number.contains('<') {
        return Err(MrzError::Form);
    }
    Ok(Mrz {
        document_code: "ID".to_owned(),
        issuer: "FRA".to_owned(),
        number: number.to_owned(),
        birth_date: birth_date.to_owned(),
        expiry_date: None,
        optional: String::new(),
    })
}
