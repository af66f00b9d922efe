//! The form of a claim's text: a text in which `UUID` or `CPR` stands for the identifier.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

use crate::domain::cpr::CprNumber;
use crate::domain::person::{MitidUuid, PersonReference};

/// Lengths of a UUID's text: with hyphens, and without.
const UUID_LENGTHS: [usize; 2] = [36, 32];

/// A form such as `UUID`, `mitid:UUID`, `{UUID}`, `https://example.dk/uuid/UUID`, `CPR`, or a text without a placeholder. A
/// claim has the form if all of its text fits: nothing may stand before or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimForm {
    before: String,
    placeholder: Option<Placeholder>,
    after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Uuid,
    Cpr,
}

impl ClaimForm {
    /// Reads the form as it is written in the configuration.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        for (name, placeholder) in [("UUID", Placeholder::Uuid), ("CPR", Placeholder::Cpr)] {
            if let Some((before, after)) = text.split_once(name) {
                return Self { before: before.into(), placeholder: Some(placeholder), after: after.into() };
            }
        }
        Self { before: text.into(), placeholder: None, after: String::new() }
    }

    /// Whether the form names a person: it has a placeholder.
    #[must_use]
    pub const fn names_a_person(&self) -> bool {
        self.placeholder.is_some()
    }

    /// Whether the text has this form.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self.placeholder {
            None => text == self.before,
            Some(_) => self.read_person(text).is_some(),
        }
    }

    /// The person whom the text names in this form.
    #[must_use]
    pub fn read_person(&self, text: &str) -> Option<PersonReference> {
        let identifier = text.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        match self.placeholder? {
            Placeholder::Uuid if UUID_LENGTHS.contains(&identifier.len()) => {
                Uuid::try_parse(identifier).ok().map(|uuid| PersonReference::Mitid(MitidUuid(uuid)))
            }
            Placeholder::Uuid => None,
            Placeholder::Cpr => CprNumber::parse(identifier).ok().map(PersonReference::Cpr),
        }
    }
}

impl fmt::Display for ClaimForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placeholder = match self.placeholder {
            None => "",
            Some(Placeholder::Uuid) => "UUID",
            Some(Placeholder::Cpr) => "CPR",
        };
        write!(f, "{}{placeholder}{}", self.before, self.after)
    }
}

impl<'de> Deserialize<'de> for ClaimForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Err(de::Error::custom("must not be empty")) } else { Ok(Self::parse(&text)) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const UUID: &str = "3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f";

    #[rstest]
    #[case::bare("UUID", UUID)]
    #[case::capitals("UUID", "3F6C1D2E-8A4B-4C5D-9E6F-0A1B2C3D4E5F")]
    #[case::without_hyphens("UUID", "3f6c1d2e8a4b4c5d9e6f0a1b2c3d4e5f")]
    #[case::prefixed("mitid:UUID", "mitid:3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f")]
    #[case::in_braces("{UUID}", "{3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f}")]
    #[case::end_of_a_uri(
        "https://example.dk/uuid/UUID",
        "https://example.dk/uuid/3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f"
    )]
    fn r23_a_uuid_is_read_in_the_form_that_is_set(#[case] form: &str, #[case] text: &str) {
        let person = ClaimForm::parse(form).read_person(text);
        assert_eq!(person, Some(PersonReference::Mitid(MitidUuid(UUID.parse().unwrap()))));
        assert_eq!(ClaimForm::parse(form).to_string(), form);
    }

    #[rstest]
    #[case::prefix_missing("mitid:UUID", UUID)]
    #[case::prefix_unknown("UUID", "mitid:3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f")]
    #[case::prefix_of_another(
        "https://example.dk/uuid/UUID",
        "https://evil.example/uuid/3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f"
    )]
    #[case::prefix_twice("mitid:UUID", "mitid:mitid:3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f")]
    #[case::braces_not_set("UUID", "{3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f}")]
    #[case::urn_not_set("UUID", "urn:uuid:3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f")]
    #[case::more_behind("UUID", "3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5f ")]
    #[case::cut_off("UUID", "3f6c1d2e-8a4b-4c5d-9e6f-0a1b2c3d4e5")]
    #[case::cpr_number("UUID", "0101905555")]
    #[case::not_a_cpr_number("CPR", UUID)]
    #[case::no_placeholder("mitid", "mitid")]
    fn r23_a_text_of_another_form_names_nobody(#[case] form: &str, #[case] text: &str) {
        assert_eq!(ClaimForm::parse(form).read_person(text), None);
    }

    #[test]
    fn r23_a_cpr_number_is_read_where_that_is_the_form() {
        let number = CprNumber::parse("0101905555").unwrap();
        assert_eq!(ClaimForm::parse("CPR").read_person("0101905555"), Some(PersonReference::Cpr(number)));
    }

    #[test]
    fn r23_a_text_without_a_placeholder_matches_itself_alone() {
        let form = ClaimForm::parse("private");
        assert!(form.matches("private"));
        for other in ["", "Private", "private ", "professional"] {
            assert!(!form.matches(other), "{other}");
        }
    }
}
