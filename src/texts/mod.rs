//! The texts for persons, in Danish, English and Greenlandic (R24). The `.ftl` files in this folder contain them.

#[cfg(test)]
mod gsm7;

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

/// Capacity in bytes for a text; more than any text needs.
const TEXT_CAPACITY: usize = 512;

/// The texts in all languages. Load them once and share them.
pub struct Texts {
    da: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
    kl: FluentBundle<FluentResource>,
}

/// The kinds of SMS, with the values in their texts.
pub enum SmsText<'a> {
    /// A temporary PIN.
    Pin {
        pin: &'a Pin,
        /// When the PIN expires.
        expire_time: DateTime<Utc>,
    },
    /// R8: access was requested. The text says how to stop it.
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
    /// R20: the person vouched for another person.
    Witnessed {
        /// When the person vouched.
        time: DateTime<Utc>,
    },
}

impl Texts {
    /// Parses the texts, which are compiled into the program.
    #[must_use]
    pub fn load() -> Self {
        Self {
            da: parse_bundle(langid!("da"), include_str!("da.ftl")),
            en: parse_bundle(langid!("en"), include_str!("en.ftl")),
            kl: parse_bundle(langid!("kl"), include_str!("kl.ftl")),
        }
    }

    /// The text of an SMS to `recipient`: one segment of GSM-7 characters.
    ///
    /// Times are given as clock times in the country of the recipient's number. A relative time ("10 min") would need no time
    /// zone, but it would be wrong in a resend, which repeats the text later, and in an SMS that the network delivers late.
    #[must_use]
    pub fn render_sms(&self, text: &SmsText<'_>, language: Language, recipient: &MobileNumber) -> Zeroizing<String> {
        let mut args = FluentArgs::new();
        let (id, time, pin) = match text {
            SmsText::Pin { pin, expire_time } => ("sms_pin", Some(expire_time), Some(group_digits(pin))),
            SmsText::AccessRequested { eligible_time } => ("sms_access_requested", Some(eligible_time), None),
            SmsText::HoldPassed { expire_time } => ("sms_hold_passed", Some(expire_time), None),
            SmsText::AccessCancelled => ("sms_access_cancelled", None, None),
            SmsText::PinRevoked => ("sms_pin_revoked", None, None),
            SmsText::Witnessed { time } => ("sms_witnessed", Some(time), None),
        };
        if let Some(time) = time {
            let (zone, zone_name) = choose_zone(recipient);
            let time = time.with_timezone(&zone);
            let (date_format, time_format) = date_and_time_formats(language);
            args.set("date", time.format(date_format).to_string());
            args.set("time", time.format(time_format).to_string());
            args.set("zone", zone_name);
        }
        if let Some(pin) = &pin {
            args.set("pin", pin.as_str());
        }
        self.render(id, language, Some(&args))
    }

    /// The question that an agent reads to the person (R16).
    #[must_use]
    pub fn render_question(&self, kind: FactKind, language: Language) -> String {
        std::mem::take(&mut self.render(&format!("question_{}", kind.as_str()), language, None))
    }

    /// The text for a person who is refused, and its language, which is Danish if the text is missing in `language`. `until`:
    /// the time from which another try may succeed; the text gives it in Danish time.
    #[must_use]
    pub fn render_refusal(
        &self,
        reason: Reason,
        until: Option<DateTime<Utc>>,
        language: Language,
    ) -> (Language, String) {
        let id = format!("refusal_{}", reason.as_str().to_lowercase());
        let (language, bundle) = self.choose_bundle(&id, language);
        let message = bundle.get_message(&id).expect("da.ftl has every text: tested");
        let timed = until.and_then(|until| Some((until, message.get_attribute("until")?.value())));
        let mut args = FluentArgs::new();
        let pattern = match timed {
            Some((until, pattern)) => {
                let until = until.with_timezone(&Europe::Copenhagen);
                let date_format = if language == Language::En { "%-d %b %Y" } else { "%-d.%-m.%Y" };
                args.set("date", until.format(date_format).to_string());
                args.set("time", until.format(date_and_time_formats(language).1).to_string());
                pattern
            }
            None => message.value().expect("every text has a value: tested"),
        };
        (language, bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned())
    }

    /// The text with that id in `language`, or in Danish if it is missing there.
    fn render(&self, id: &str, language: Language, args: Option<&FluentArgs<'_>>) -> Zeroizing<String> {
        let (_, bundle) = self.choose_bundle(id, language);
        let pattern =
            bundle.get_message(id).and_then(|message| message.value()).expect("da.ftl has every text: tested");
        // Full capacity from the start: a string that grows is moved, and leaves copies in memory; this one may contain the
        // PIN.
        let mut text = Zeroizing::new(String::with_capacity(TEXT_CAPACITY));
        bundle.write_pattern(&mut *text, pattern, args, &mut Vec::new()).expect("writing to a string does not fail");
        text
    }

    /// The texts of `language` if they contain `id`, otherwise the Danish ones; and the language of the result.
    fn choose_bundle(&self, id: &str, language: Language) -> (Language, &FluentBundle<FluentResource>) {
        let bundle = match language {
            Language::Da => &self.da,
            Language::En => &self.en,
            Language::Kl => &self.kl,
        };
        if bundle.has_message(id) { (language, bundle) } else { (Language::Da, &self.da) }
    }
}

/// Parses the texts of one language.
fn parse_bundle(language: LanguageIdentifier, source: &str) -> FluentBundle<FluentResource> {
    let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| errors).expect("valid: tested");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks are not GSM-7 characters: one of them would make the SMS UCS-2, with 70 characters instead of 160.
    bundle.set_use_isolating(false);
    bundle.add_resource(resource).expect("no text is there twice: tested");
    bundle
}

/// The time zone of the country of a number, and its name in the texts (`$zone`). Numbers of other countries get Danish time,
/// and the text says that it is Danish time.
fn choose_zone(number: &MobileNumber) -> (Tz, &'static str) {
    match number.calling_code() {
        45 => (Europe::Copenhagen, "local"),
        298 => (Atlantic::Faroe, "local"),
        299 => (America::Nuuk, "local"),
        _ => (Europe::Copenhagen, "danish"),
    }
}

/// The formats of a date and of a time of day in an SMS.
fn date_and_time_formats(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Da | Language::Kl => ("%-d/%-m", "%H.%M"),
        Language::En => ("%-d %b", "%H:%M"),
    }
}

/// The PIN as `1234 5678`: two groups are easier to read and to remember.
fn group_digits(pin: &Pin) -> Zeroizing<String> {
    let (first, second) = pin.digits().split_at(4);
    Zeroizing::new(format!("{first} {second}"))
}

#[cfg(test)]
mod tests;
