//! Reads documents: passport, driving licence and others, supporting documents, and machine-readable zones.

use super::Violations;
use crate::domain::document::{Document, DocumentFieldError, DocumentKind, SupportingDocument};
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
    let kind = match document.kind() {
        pb::document::Kind::Unspecified => None,
        pb::document::Kind::Passport => Some(DocumentKind::Passport),
        pb::document::Kind::DrivingLicence => Some(DocumentKind::DrivingLicence),
        pb::document::Kind::IdentityCard => Some(DocumentKind::IdentityCard),
        pb::document::Kind::ResidencePermit => Some(DocumentKind::ResidencePermit),
    };
    let kind = violations.ok_or_add(&format!("{field}.kind"), kind.ok_or("is required"));
    // If the kind is missing, the number is checked as for most kinds, so that the caller learns all problems at once.
    match Document::parse(kind.unwrap_or(DocumentKind::IdentityCard), &document.issuer, &document.number) {
        Ok(document) => kind.map(|_| document),
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
