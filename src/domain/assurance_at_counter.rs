//! The level of assurance that a visit at the counter reaches (R28).

use super::assurance::AssuranceLevel;
use super::document::{CprNumberShown, Document, DocumentKind};

/// The issuers whose passports can show a CPR number: Denmark, Greenland and the Faroe Islands.
const ISSUERS_WITH_CPR_NUMBERS: [&str; 3] = ["DNK", "GRL", "FRO"];

/// R28: the level of an identity that a witness confirms at the counter. High needs a passport that shows the CPR number, an office
/// that offers it (`offices`), and a clerk who is logged in at High: nobody confirms more than they have proven themselves.
#[must_use]
pub fn assurance_by_witness(
    document: &Document,
    office_id: &str,
    offices: &[String],
    clerk: AssuranceLevel,
) -> AssuranceLevel {
    let shows_cpr_number = document.kind == DocumentKind::Passport
        && ISSUERS_WITH_CPR_NUMBERS.contains(&document.issuer.as_str())
        && document.cpr_number_shown == CprNumberShown::Yes;
    let is_offered = offices.iter().any(|office| office == office_id);
    if shows_cpr_number && is_offered && clerk >= AssuranceLevel::High {
        AssuranceLevel::High
    } else {
        AssuranceLevel::Substantial
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::danish("DNK", DocumentKind::Passport, CprNumberShown::Yes, "OFFICE-1", AssuranceLevel::High, true)]
    #[case::greenlandic("GRL", DocumentKind::Passport, CprNumberShown::Yes, "OFFICE-1", AssuranceLevel::High, true)]
    #[case::faroese("FRO", DocumentKind::Passport, CprNumberShown::Yes, "OFFICE-1", AssuranceLevel::High, true)]
    #[case::foreign("SWE", DocumentKind::Passport, CprNumberShown::Yes, "OFFICE-1", AssuranceLevel::High, false)]
    #[case::a_licence(
        "DNK",
        DocumentKind::DrivingLicence,
        CprNumberShown::Yes,
        "OFFICE-1",
        AssuranceLevel::High,
        false
    )]
    #[case::no_cpr_number("DNK", DocumentKind::Passport, CprNumberShown::No, "OFFICE-1", AssuranceLevel::High, false)]
    #[case::not_stated(
        "DNK",
        DocumentKind::Passport,
        CprNumberShown::Unstated,
        "OFFICE-1",
        AssuranceLevel::High,
        false
    )]
    #[case::another_office(
        "DNK",
        DocumentKind::Passport,
        CprNumberShown::Yes,
        "NOWHERE-9",
        AssuranceLevel::High,
        false
    )]
    #[case::a_clerk_at_substantial(
        "DNK",
        DocumentKind::Passport,
        CprNumberShown::Yes,
        "OFFICE-1",
        AssuranceLevel::Substantial,
        false
    )]
    fn r28_high_needs_all_of_passport_office_and_clerk(
        #[case] issuer: &str,
        #[case] kind: DocumentKind,
        #[case] cpr_number_shown: CprNumberShown,
        #[case] office_id: &str,
        #[case] clerk: AssuranceLevel,
        #[case] is_high: bool,
    ) {
        let document =
            Document { kind, issuer: issuer.into(), number: "200000001".into(), expiry_date: None, cpr_number_shown };
        let expected = if is_high { AssuranceLevel::High } else { AssuranceLevel::Substantial };
        assert_eq!(assurance_by_witness(&document, office_id, &["OFFICE-1".into()], clerk), expected);
    }
}
