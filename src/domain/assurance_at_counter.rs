//! The level of assurance that a visit at the counter reaches (R28).

use super::assurance::AssuranceLevel;
use super::document::{CprNumberShown, Document, DocumentKind, RegisteredDocument};

/// The issuers whose passports can show a CPR number: Denmark, Greenland and the Faroe Islands.
const ISSUERS_WITH_CPR_NUMBERS: [&str; 3] = ["DNK", "GRL", "FRO"];

/// A visit whose witness is accepted.
pub struct WitnessedVisit<'a> {
    /// What the clerk states about the document.
    pub document: &'a Document,
    /// What the register knows of the document.
    pub registered: Option<&'a RegisteredDocument>,
    pub office_id: &'a str,
    /// The level of the clerk's login.
    pub clerk: AssuranceLevel,
    /// Whether the witness has proven their identity by a login.
    pub is_witness_logged_in: bool,
}

impl WitnessedVisit<'_> {
    /// R28: the level of the person's identity. High needs all of these: a passport that shows the CPR number, and of which the
    /// register does not say otherwise; an office in `offices`; a witness who has logged in; a clerk who is logged in at High,
    /// because a clerk cannot confirm a higher level than their own.
    #[must_use]
    pub fn assurance(&self, offices: &[String]) -> AssuranceLevel {
        let is_offered = offices.iter().any(|office| office == self.office_id);
        let is_high =
            self.shows_cpr_number() && is_offered && self.is_witness_logged_in && self.clerk >= AssuranceLevel::High;
        if is_high { AssuranceLevel::High } else { AssuranceLevel::Substantial }
    }

    fn shows_cpr_number(&self) -> bool {
        self.document.kind == DocumentKind::Passport
            && ISSUERS_WITH_CPR_NUMBERS.contains(&self.document.issuer.as_str())
            && self.document.cpr_number_shown == CprNumberShown::Yes
            && self.registered.is_none_or(|registered| registered.cpr_number_shown != CprNumberShown::No)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
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
        let visit =
            WitnessedVisit { document: &document, registered: None, office_id, clerk, is_witness_logged_in: true };
        assert_eq!(visit.assurance(&["OFFICE-1".into()]), expected);
        let without_login = WitnessedVisit { is_witness_logged_in: false, ..visit };
        assert_eq!(without_login.assurance(&["OFFICE-1".into()]), AssuranceLevel::Substantial);
    }

    #[rstest]
    #[case::yes(CprNumberShown::Yes, AssuranceLevel::High)]
    #[case::not_known(CprNumberShown::Unstated, AssuranceLevel::High)]
    #[case::no(CprNumberShown::No, AssuranceLevel::Substantial)]
    fn r28_what_the_register_says_against_the_passport_counts(
        #[case] cpr_number_shown: CprNumberShown,
        #[case] expected: AssuranceLevel,
    ) {
        let document = Document {
            kind: DocumentKind::Passport,
            issuer: "DNK".into(),
            number: "200000001".into(),
            expiry_date: None,
            cpr_number_shown: CprNumberShown::Yes,
        };
        let registered = RegisteredDocument {
            holder_cpr_number: None,
            holder_mitid_uuid: None,
            good_standing: true,
            expiry_date: NaiveDate::MAX,
            printed_expiry_date: None,
            provisional: false,
            cpr_number_shown,
        };
        let visit = WitnessedVisit {
            document: &document,
            registered: Some(&registered),
            office_id: "OFFICE-1",
            clerk: AssuranceLevel::High,
            is_witness_logged_in: true,
        };
        assert_eq!(visit.assurance(&["OFFICE-1".into()]), expected);
    }
}
