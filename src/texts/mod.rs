//! Texts that a person reads or hears, in da, en and kl (R24). The `.ftl` files beside this one hold them.

use chrono::{DateTime, Utc};
use chrono_tz::{America, Atlantic, Europe, Tz};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::{LanguageIdentifier, langid};
use zeroize::Zeroizing;

use crate::domain::fact::FactKind;
use crate::domain::language::Language;
use crate::domain::mobile::MobileNumber;
use crate::domain::pin::Pin;
use crate::domain::reason::Reason;

/// More bytes than any text has.
const TEXT_ROOM: usize = 512;

/// All texts. Load once, share.
pub struct Texts {
    da: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
    kl: FluentBundle<FluentResource>,
}

/// An SMS and what it tells.
pub enum SmsText<'a> {
    /// The PIN.
    Pin {
        /// The PIN.
        pin: &'a Pin,
        /// When it ceases to be valid.
        expire_time: DateTime<Utc>,
    },
    /// R8: access was requested, with the way to stop it.
    AccessRequested {
        /// When the hold passes.
        eligible_time: DateTime<Utc>,
    },
    /// R8: the hold has passed.
    HoldPassed {
        /// When the access window ends.
        expire_time: DateTime<Utc>,
    },
    /// R9: the request for access was cancelled.
    AccessCancelled,
    /// R9: the PIN was revoked.
    PinRevoked,
}

impl Texts {
    /// Reads the texts, which are part of the program.
    #[must_use]
    pub fn load() -> Self {
        Self {
            da: bundle(langid!("da"), include_str!("da.ftl")),
            en: bundle(langid!("en"), include_str!("en.ftl")),
            kl: bundle(langid!("kl"), include_str!("kl.ftl")),
        }
    }

    /// The text of an SMS to `recipient`: one GSM-7 segment.
    ///
    /// Times are clock times where the recipient's number is from. A relative form ("10 min") would need no zone, but is
    /// wrong in a resend, which repeats the text later, and in an SMS that the network delivers late.
    #[must_use]
    pub fn render_sms(&self, text: &SmsText<'_>, language: Language, recipient: &MobileNumber) -> Zeroizing<String> {
        let mut args = FluentArgs::new();
        let (id, time, pin) = match text {
            SmsText::Pin { pin, expire_time } => ("sms_pin", Some(expire_time), Some(in_groups(pin))),
            SmsText::AccessRequested { eligible_time } => ("sms_access_requested", Some(eligible_time), None),
            SmsText::HoldPassed { expire_time } => ("sms_hold_passed", Some(expire_time), None),
            SmsText::AccessCancelled => ("sms_access_cancelled", None, None),
            SmsText::PinRevoked => ("sms_pin_revoked", None, None),
        };
        if let Some(time) = time {
            let (zone, zone_name) = zone(recipient);
            let time = time.with_timezone(&zone);
            let (date_form, time_form) = forms(language);
            args.set("date", time.format(date_form).to_string());
            args.set("time", time.format(time_form).to_string());
            args.set("zone", zone_name);
        }
        if let Some(pin) = &pin {
            args.set("pin", pin.as_str());
        }
        self.render(id, language, Some(&args))
    }

    /// The question to read to the person (R16).
    #[must_use]
    pub fn render_question(&self, kind: FactKind, language: Language) -> String {
        std::mem::take(&mut self.render(&format!("question_{}", kind.as_str()), language, None))
    }

    /// What to tell a person who is refused, and the language it is in: Danish where there is no text in the other. `until`:
    /// from when another try may succeed; told in Danish time.
    #[must_use]
    pub fn render_refusal(
        &self,
        reason: Reason,
        until: Option<DateTime<Utc>>,
        language: Language,
    ) -> (Language, String) {
        let id = format!("refusal_{}", reason.as_str().to_lowercase());
        let (language, bundle) = self.bundle(&id, language);
        let message = bundle.get_message(&id).expect("da.ftl has every text: tested");
        let timed = until.and_then(|until| Some((until, message.get_attribute("until")?.value())));
        let mut args = FluentArgs::new();
        let pattern = match timed {
            Some((until, pattern)) => {
                let until = until.with_timezone(&Europe::Copenhagen);
                let day = if language == Language::En { "%-d %b %Y" } else { "%-d.%-m.%Y" };
                args.set("date", until.format(day).to_string());
                args.set("time", until.format(forms(language).1).to_string());
                pattern
            }
            None => message.value().expect("every text has a value: tested"),
        };
        (language, bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned())
    }

    fn render(&self, id: &str, language: Language, args: Option<&FluentArgs<'_>>) -> Zeroizing<String> {
        let (_, bundle) = self.bundle(id, language);
        let pattern =
            bundle.get_message(id).and_then(|message| message.value()).expect("da.ftl has every text: tested");
        // With room for all: a text that grows leaves copies behind, and this one may hold the PIN.
        let mut text = Zeroizing::new(String::with_capacity(TEXT_ROOM));
        bundle.write_pattern(&mut *text, pattern, args, &mut Vec::new()).expect("writing to a string does not fail");
        text
    }

    /// The texts of the language if they hold `id`, else the Danish ones.
    fn bundle(&self, id: &str, language: Language) -> (Language, &FluentBundle<FluentResource>) {
        let wanted = match language {
            Language::Da => &self.da,
            Language::En => &self.en,
            Language::Kl => &self.kl,
        };
        if wanted.has_message(id) { (language, wanted) } else { (Language::Da, &self.da) }
    }
}

fn bundle(language: LanguageIdentifier, source: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).expect("valid: tested");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks are no GSM-7 letters: with one of them an SMS holds 70 letters instead of 160.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("no text is there twice: tested");
    bundle
}

/// The time zone of the country that a number is from, and how the texts call it. Numbers from elsewhere get Danish
/// time, and are told so.
fn zone(number: &MobileNumber) -> (Tz, &'static str) {
    match number.calling_code() {
        45 => (Europe::Copenhagen, "local"),
        298 => (Atlantic::Faroe, "local"),
        299 => (America::Nuuk, "local"),
        _ => (Europe::Copenhagen, "danish"),
    }
}

/// How a day and a time of day are written.
fn forms(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Da | Language::Kl => ("%-d/%-m", "%H.%M"),
        Language::En => ("%-d %b", "%H:%M"),
    }
}

/// `1234 5678`: easier to read and to keep in mind.
fn in_groups(pin: &Pin) -> Zeroizing<String> {
    let (first, second) = pin.digits().split_at(4);
    Zeroizing::new(format!("{first} {second}"))
}

#[cfg(test)]
mod tests;
