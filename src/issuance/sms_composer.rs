//! Writes the SMS of the use cases: renders the text and seals it for the outbox.

use std::time::Duration;

use uuid::Uuid;

use super::Dependencies;
use crate::domain::language::Language;
use crate::domain::mobile::MobileNumber;
use crate::domain::person::Person;
use crate::keys::KeyRing;
use crate::sms::sealed_message::seal_message;
use crate::texts::{SmsText, Texts};

/// How long the SMS network may try to deliver a notice about what has been done.
pub(super) const NOTICE_LIFETIME: Duration = Duration::from_hours(24);

/// Writes SMS during one call.
#[derive(Clone, Copy)]
pub(super) struct SmsComposer<'a> {
    texts: &'a Texts,
    keys: &'a KeyRing,
}

impl<'a> SmsComposer<'a> {
    pub(super) fn new(dependencies: &'a Dependencies, keys: &'a KeyRing) -> Self {
        Self { texts: &dependencies.texts, keys }
    }

    /// Renders the text and seals it for the outbox row `message_id`.
    pub(super) fn compose(
        &self,
        message_id: Uuid,
        text: &SmsText<'_>,
        language: Language,
        recipient: &MobileNumber,
    ) -> Vec<u8> {
        let text = self.texts.render_sms(text, language, recipient);
        seal_message(self.keys, message_id, recipient, &text)
    }
}

/// The requested language, or else that of the person's MitID profile.
pub(super) fn choose_language(requested: Option<Language>, person: &Person) -> Language {
    requested.or_else(|| person.mitid_account.as_ref().map(|account| account.language)).unwrap_or_default()
}
