//! Machine readable zones of public specimens, and what becomes of each (R19).

use chrono::NaiveDate;
use temporary_pin::domain::document::{CprNumberShown, Document, DocumentFieldError, DocumentKind};
use temporary_pin::domain::mrz::{Mrz, MrzError};

const CORPUS: &str = include_str!("specimen_zones.tsv");

/// Least number of zones that are read, and of zones that are refused.
const LEAST_READ: usize = 40;
const LEAST_REFUSED: usize = 40;

/// A zone that is read, with what it tells.
struct Specimen<'a> {
    kind: DocumentKind,
    issuer: &'a str,
    number: &'a str,
    birth_date: NaiveDate,
    /// `None`: the layout has no expiry.
    expiry_date: Option<NaiveDate>,
}

impl Specimen<'_> {
    /// Asserts that the zone tells this and nothing else.
    fn assert_read(&self, mrz: &Mrz, line: &str) {
        let document = Document {
            kind: self.kind,
            issuer: self.issuer.to_owned(),
            number: self.number.to_owned(),
            expiry_date: None,
            cpr_number_shown: CprNumberShown::Unstated,
        };
        assert!(mrz.agrees_with(&document, self.birth_date), "{line}");
        let another_day = self.birth_date.succ_opt().expect("a day");
        assert!(!mrz.agrees_with(&document, another_day), "{line}");
        let another_number = Document { number: format!("{}X", self.number), ..document.clone() };
        assert!(!mrz.agrees_with(&another_number, self.birth_date), "{line}");
        let today = self.expiry_date.unwrap_or(self.birth_date);
        assert_eq!(mrz.expiry_date(today), self.expiry_date, "{line}");
    }
}

#[test]
fn r19_every_specimen_has_the_verdict_that_the_corpus_says() {
    let (mut read, mut refused) = (0, 0);
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [verdict, kind, issuer, number, birth_date, expiry_date, _origin, zone] = columns[..] else {
            panic!("{line}: not eight columns")
        };
        let lines: Vec<String> = zone.split('/').map(str::to_owned).collect();
        let error = match verdict {
            "read" | "temporary" | "no_country" => None,
            "check_digit" => Some(MrzError::CheckDigit),
            "code" => Some(MrzError::DocumentCode),
            "form" => Some(MrzError::Form),
            _ => panic!("{line}: no such verdict"),
        };
        if let Some(error) = error {
            refused += 1;
            assert_eq!(Mrz::parse(&lines), Err(error), "{line}");
            continue;
        }
        read += 1;
        let mrz = Mrz::parse(&lines).unwrap_or_else(|error| panic!("{line}: {error}"));
        let specimen = Specimen {
            kind: match kind {
                "passport" => DocumentKind::Passport,
                "identity_card" => DocumentKind::IdentityCard,
                "residence_permit" => DocumentKind::ResidencePermit,
                _ => panic!("{line}: no such kind"),
            },
            issuer,
            number,
            birth_date: birth_date.parse().expect("a birth date"),
            expiry_date: (expiry_date != "-").then(|| expiry_date.parse().expect("an expiry date")),
        };
        specimen.assert_read(&mrz, line);
        assert_eq!(mrz.is_temporary(), verdict == "temporary", "{line}");
        let is_no_country = |errors: Vec<DocumentFieldError>| errors.contains(&DocumentFieldError::Issuer);
        let parsed = Document::parse(specimen.kind, issuer, number);
        assert_eq!(parsed.is_err_and(is_no_country), verdict == "no_country", "{line}");
    }
    assert!(read >= LEAST_READ && refused >= LEAST_REFUSED, "{read} read, {refused} refused");
}
