//! References to persons.

use zeroize::Zeroizing;

use super::Violations;
use crate::domain::cpr::CprNumber;
use crate::domain::person::{MitidUuid, PersonReference};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::person_reference::Reference;

/// The person that `field` refers to.
pub(in super::super) fn person(
    violations: &mut Violations,
    field: &str,
    person: Option<pb::PersonReference>,
) -> Option<PersonReference> {
    match person.and_then(|person| person.reference) {
        None => {
            violations.add(field, "is required: set cpr_number or mitid_uuid");
            None
        }
        Some(Reference::CprNumber(text)) => violations
            .take(&format!("{field}.cpr_number"), CprNumber::parse(&Zeroizing::new(text)))
            .map(PersonReference::Cpr),
        Some(Reference::MitidUuid(text)) => {
            let uuid = violations.uuid(&format!("{field}.mitid_uuid"), &text)?;
            Some(PersonReference::Mitid(MitidUuid(uuid)))
        }
    }
}
