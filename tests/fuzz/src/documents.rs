//! Documents and machine readable zones.

use chrono::NaiveDate;
use temporary_pin::domain::document::{CprNumberShown, Document, DocumentKind};
use temporary_pin::domain::mrz::Mrz;

use super::{first_line, text};

const KINDS: [DocumentKind; 6] = [
    DocumentKind::Passport,
    DocumentKind::DrivingLicence,
    DocumentKind::IdentityCard,
    DocumentKind::ResidencePermit,
    DocumentKind::ForeignMinistryCard,
    DocumentKind::MunicipalIdentityCard,
];

/// Input: `<kind><issuer>\n<number>`. An accepted document is normalized, its normal form is read unchanged, and its number
/// is masked.
pub fn document(data: &[u8]) -> bool {
    let Some((kind, rest)) = data.split_first() else { return false };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let (issuer, number) = first_line(rest);
    let (Some(issuer), Some(number)) = (text(issuer), text(number)) else { return false };
    match Document::parse(kind, issuer, number) {
        Ok(document) => {
            assert!(document.issuer.len() == 3 && document.issuer.bytes().all(|byte| byte.is_ascii_uppercase()));
            let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            assert!((5..=20).contains(&document.number.len()) && document.number.bytes().all(allowed));
            assert!(Document::parse(kind, &document.issuer, &document.number) == Ok(document.clone()));
            assert!(!format!("{document:?} {document:#?}").contains(&document.number));
            true
        }
        Err(errors) => {
            assert!((1..=2).contains(&errors.len()));
            false
        }
    }
}

/// Input: lines. An accepted zone has one of the three sizes, is read the same without spaces around its lines, is masked, and
/// agrees with its own birth date. The old French card tells no expiry, and only Danish documents tell a CPR number.
pub fn mrz(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let Ok(mrz) = Mrz::parse(&lines) else { return false };
    let trimmed: Vec<String> = lines.iter().map(|line| line.trim().to_owned()).collect();
    let sizes: Vec<usize> = trimmed.iter().map(String::len).collect();
    assert!([&[30, 30, 30][..], &[36, 36], &[44, 44]].contains(&&*sizes), "{sizes:?}");
    assert!(Mrz::parse(&trimmed) == Ok(mrz.clone()));
    assert_eq!(format!("{mrz:?}"), "Mrz(****)");

    let zone = trimmed.concat();
    let (number, birth_date) = match sizes.len() {
        3 => (&zone[5..14], &zone[30..36]),
        _ if sizes[0] == 36 && zone.starts_with("IDFRA") => (&zone[36..48], &zone[63..69]),
        _ => (&zone[sizes[0]..sizes[0] + 9], &zone[sizes[0] + 13..sizes[0] + 19]),
    };
    let today = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a date");
    let is_old_french = sizes[0] == 36 && zone.starts_with("IDFRA");
    assert!(!is_old_french || mrz.expiry_date(today).is_none());
    assert!(mrz.cpr_number().is_none() || zone[2..5] == *"DNK");
    for kind in KINDS {
        let document = Document {
            kind,
            issuer: zone[2..5].replace('<', ""),
            number: number.replace('<', ""),
            expiry_date: None,
            cpr_number_shown: CprNumberShown::Unstated,
        };
        for year in 1960..2000 {
            let date = NaiveDate::from_ymd_opt(year, 2, 1).expect("a date");
            if mrz.agrees_with(&document, date) {
                let told = date.format("%y%m%d").to_string();
                let open_or_same = |(read, told): (char, char)| read == '<' || read == told;
                assert!(birth_date.chars().zip(told.chars()).all(open_or_same), "{date}");
                assert!(kind != DocumentKind::DrivingLicence, "licences have no zone");
            }
        }
    }
    true
}
