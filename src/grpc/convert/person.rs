//! Reads references to persons.

use zeroize::Zeroizing;

use super::Violations;
use crate::domain::cpr::CprNumber;
use crate::domain::person::{MitidUuid, PersonReference};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::person_reference::Reference;

/// Parses a reference to a person. `field` is its path in the request.
pub(in super::super) fn parse_person(
    violations: &mut Violations,
    field: &str,
    reference: Option<pb::PersonReference>,
) -> Option<PersonReference> {
    match reference.and_then(|reference| reference.reference) {
        None => {
            violations.add(field, "is required: set cpr_number or mitid_uuid");
            None
        }
        Some(Reference::CprNumber(text)) => violations
            .ok_or_add(&format!("{field}.cpr_number"), CprNumber::parse(&Zeroizing::new(text)))
            .map(PersonReference::Cpr),
        Some(Reference::MitidUuid(text)) => {
            let uuid = violations.parse_uuid(&format!("{field}.mitid_uuid"), &text)?;
            Some(PersonReference::Mitid(MitidUuid(uuid)))
        }
    }
}
