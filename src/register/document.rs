//! Converts documents to and from the messages of the register.

use crate::domain::document::{CprNumberShown, Document, DocumentKind, RegisteredDocument};
use crate::proto::identityregister::v1 as proto;

use super::wire::{Malformed, cpr_number, date, mitid_uuid};

/// The request for a document.
pub(super) fn make_request(document: &Document) -> proto::LookUpDocumentRequest {
    let kind = match document.kind {
        DocumentKind::Passport => proto::DocumentKind::Passport,
        DocumentKind::DrivingLicence => proto::DocumentKind::DrivingLicence,
        DocumentKind::IdentityCard => proto::DocumentKind::IdentityCard,
        DocumentKind::ResidencePermit => proto::DocumentKind::ResidencePermit,
        DocumentKind::ForeignMinistryCard => proto::DocumentKind::ForeignMinistryCard,
        DocumentKind::MunicipalIdentityCard => proto::DocumentKind::MunicipalIdentityCard,
    };
    proto::LookUpDocumentRequest { kind: kind.into(), issuer: document.issuer.clone(), number: document.number.clone() }
}

/// Converts a response. An unknown enum value counts as the stricter one, as the contract says.
pub(super) fn convert(document: proto::Document) -> Result<RegisteredDocument, Malformed> {
    let holder = document.holder_mitid_uuid.as_str();
    Ok(RegisteredDocument {
        holder_cpr_number: cpr_number(&document.holder_cpr_number, "holder_cpr_number")?,
        holder_mitid_uuid: if holder.is_empty() { None } else { Some(mitid_uuid(holder, "holder_mitid_uuid")?) },
        good_standing: document.state() == proto::document::State::Valid,
        expiry_date: date(&document.expiry_date, "expiry_date")?,
        printed_expiry_date: match document.printed_expiry_date.as_str() {
            "" => None,
            printed => Some(date(printed, "printed_expiry_date")?),
        },
        cpr_number_shown: match proto::document::CprNumberShown::try_from(document.cpr_number_shown) {
            Ok(proto::document::CprNumberShown::Unspecified) => CprNumberShown::Unstated,
            Ok(proto::document::CprNumberShown::Yes) => CprNumberShown::Yes,
            // An unknown value counts as the stricter one.
            Ok(proto::document::CprNumberShown::No) | Err(_) => CprNumberShown::No,
        },
        provisional: document.permanence() != proto::document::Permanence::Ordinary,
    })
}
