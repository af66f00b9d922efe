//! Secrets and personal data that must not be found in anything that is written.

use std::collections::BTreeMap;

use serde_json::Value;
use test_support::person::Person;

/// The texts to search for, each with a description.
#[derive(Default)]
pub(crate) struct Needles(BTreeMap<String, &'static str>);

impl Needles {
    /// Adds a text. Ignores shorter texts and years, which would be found by chance.
    pub(crate) fn add(&mut self, what: &'static str, text: &str) {
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if text.chars().count() >= 4 && !is_year {
            self.0.insert(text.to_owned(), what);
        }
    }

    /// Adds everything that the register knows about a person.
    pub(crate) fn add_person(&mut self, person: &Person) {
        let json = &person.0;
        let text = |field: &str| json[field].as_str().unwrap();
        let cpr_number = text("cpr_number");
        self.add_cpr_number(cpr_number);
        self.add("mobile number", text("mobile_number"));
        self.add("mobile number", text("mobile_number").trim_start_matches('+'));
        self.add("mobile number", &text("mobile_number")[3..]);
        self.add("mobile number", &text("mobile_number")[4..]);
        self.add("name", text("name"));
        text("name").split(' ').filter(|part| part.len() > 4).for_each(|part| self.add("part of a name", part));
        self.add("MitID UUID", text("mitid_uuid"));
        self.add("MitID UUID", &text("mitid_uuid").replace('-', ""));
        self.add("birth date", text("birth_date"));
        for document in json["documents"].as_array().unwrap() {
            self.add("document number", document["number"].as_str().unwrap());
            for line in document["mrz_lines"].as_array().into_iter().flatten() {
                self.add("machine readable zone", line.as_str().unwrap());
            }
        }
        let facts = json["facts"].as_object().unwrap().values().filter_map(Value::as_array).flatten();
        facts.for_each(|fact| self.add("fact", fact.as_str().unwrap()));
    }

    pub(crate) fn add_cpr_number(&mut self, number: &str) {
        let digits = number.replace('-', "");
        self.add("CPR number", &format!("{}-{}", &digits[..6], &digits[6..]));
        self.add("CPR number", &digits);
    }

    pub(crate) fn add_pin(&mut self, pin: &str) {
        self.add("PIN", pin);
        self.add("PIN", &format!("{} {}", &pin[..4], &pin[4..]));
    }

    /// Adds the whole token, its claims and its signature.
    pub(crate) fn add_token(&mut self, token: &str) {
        self.add("token", token);
        token.split('.').skip(1).for_each(|part| self.add("part of a token", part));
    }

    /// The needles in a text: in letters of any case, or as hexadecimal digits, as Postgres writes bytes.
    pub(crate) fn find_in(&self, text: &str) -> Vec<(&'static str, &str)> {
        let text = text.to_lowercase();
        let is_there = |needle: &str| text.contains(&needle.to_lowercase()) || text.contains(&hex(needle));
        self.0.iter().filter(|(needle, _)| is_there(needle)).map(|(needle, what)| (*what, needle.as_str())).collect()
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
