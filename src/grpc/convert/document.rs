//! Reads documents: passport, driving licence and others, supporting documents, and machine-readable zones.

use chrono::NaiveDate;

use super::Violations;
use crate::domain::calendar::parse_date;
use crate::domain::document::{CprNumberShown, Document, DocumentFieldError, DocumentKind, SupportingDocument};
use crate::domain::mrz::Mrz;
use crate::proto::temporarypin::v1 as pb;

/// Parses a document, which is required. `field` is its path in the request.
pub(super) fn parse_document(
    violations: &mut Violations,
    field: &str,
    document: Option<pb::Document>,
) -> Option<Document> {
    let Some(document) = document else {
        violations.add(field, "is required");
        return None;
    };
    let kind = document_kind(document.kind());
    let kind = violations.ok_or_add(&format!("{field}.kind"), kind.ok_or("is required"));
    let expiry_date = parse_expiry_date(violations, &format!("{field}.expiry_date"), &document.expiry_date);
    let cpr_number_shown =
        parse_cpr_number_shown(violations, &format!("{field}.cpr_number_shown"), document.cpr_number_shown);
    // If the kind is missing, the number is checked as for most kinds, so that the caller learns all problems at once.
    match Document::parse(kind.unwrap_or(DocumentKind::IdentityCard), &document.issuer, &document.number) {
        Ok(document) => {
            kind?;
            Some(Document { expiry_date: expiry_date?, cpr_number_shown: cpr_number_shown?, ..document })
        }
        Err(errors) => {
            for error in errors {
                let name = match error {
                    DocumentFieldError::Issuer => "issuer",
                    DocumentFieldError::Number(_) => "number",
                };
                violations.add(format!("{field}.{name}"), error.to_string());
            }
            None
        }
    }
}

/// The kind of document; `None` if it is not set.
pub(super) const fn document_kind(kind: pb::document::Kind) -> Option<DocumentKind> {
    match kind {
        pb::document::Kind::Unspecified => None,
        pb::document::Kind::Passport => Some(DocumentKind::Passport),
        pb::document::Kind::DrivingLicence => Some(DocumentKind::DrivingLicence),
        pb::document::Kind::IdentityCard => Some(DocumentKind::IdentityCard),
        pb::document::Kind::ResidencePermit => Some(DocumentKind::ResidencePermit),
        pb::document::Kind::ForeignMinistryCard => Some(DocumentKind::ForeignMinistryCard),
        pb::document::Kind::MunicipalIdentityCard => Some(DocumentKind::MunicipalIdentityCard),
    }
}

/// Parses an optional date. `Some(None)` if there is none.
fn parse_expiry_date(violations: &mut Violations, field: &str, text: &str) -> Option<Option<NaiveDate>> {
    if text.is_empty() {
        return Some(None);
    }
    violations.ok_or_add(field, parse_date(text).ok_or("must be a date, such as 2030-12-31")).map(Some)
}

/// Reads whether the CPR number is shown. A value that this version does not know is malformed.
fn parse_cpr_number_shown(violations: &mut Violations, field: &str, value: i32) -> Option<CprNumberShown> {
    let shown = pb::document::CprNumberShown::try_from(value).map(|shown| match shown {
        pb::document::CprNumberShown::Unspecified => CprNumberShown::Unstated,
        pb::document::CprNumberShown::Yes => CprNumberShown::Yes,
        pb::document::CprNumberShown::No => CprNumberShown::No,
    });
    violations.ok_or_add(field, shown.map_err(|_| "must be CPR_NUMBER_SHOWN_YES or CPR_NUMBER_SHOWN_NO"))
}

/// Parses an optional supporting document. `Some(None)` if there is none.
pub(super) fn parse_supporting_document(
    violations: &mut Violations,
    field: &str,
    document: Option<pb::SupportingDocument>,
) -> Option<Option<SupportingDocument>> {
    let Some(document) = document else { return Some(None) };
    match document.kind() {
        pb::supporting_document::Kind::HealthCard => Some(Some(SupportingDocument::HealthCard)),
        pb::supporting_document::Kind::ResidenceCertificate => Some(Some(SupportingDocument::ResidenceCertificate)),
        pb::supporting_document::Kind::SpecialHealthCard => Some(Some(SupportingDocument::SpecialHealthCard)),
        pb::supporting_document::Kind::PersonalCertificate => Some(Some(SupportingDocument::PersonalCertificate)),
        pb::supporting_document::Kind::BirthCertificate => Some(Some(SupportingDocument::BirthCertificate)),
        pb::supporting_document::Kind::BaptismCertificate => Some(Some(SupportingDocument::BaptismCertificate)),
        pb::supporting_document::Kind::MunicipalIdentityCard => Some(Some(SupportingDocument::MunicipalIdentityCard)),
        pb::supporting_document::Kind::Unspecified => {
            violations.add(field, "is required");
            None
        }
    }
}

/// Parses the optional lines of a machine-readable zone. `Some(None)` if none was scanned.
pub(super) fn parse_mrz(violations: &mut Violations, field: &str, lines: &[String]) -> Option<Option<Mrz>> {
    if lines.is_empty() {
        return Some(None);
    }
    violations.ok_or_add(field, Mrz::parse(lines)).map(Some)
}
