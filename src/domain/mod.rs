//! The product's rules as pure functions and types.
//!
//! Code in this folder does no I/O and does not read a clock or a random source: `now` and the generator are arguments. It
//! imports nothing from the rest of this crate.
//!
//! Where to find a rule (docs/rules.md states them):
//!
//! | rule | file |
//! |---|---|
//! | R1 form of the PIN | [`pin`] |
//! | R5, R21 and the decision about an order for a PIN | [`order`] |
//! | R6, R7 hold and access window | [`hold`] |
//! | R9 what an operator gives as reason | [`stated_reason`] |
//! | R10–R14 who may have a PIN in a channel | [`eligibility`]; ages and days: [`calendar`]; CPR numbers: [`cpr`]; numbers for SMS: [`mobile`] |
//! | R15, R19 documents | [`document`]; which are accepted: [`document_acceptance`], [`document_list`]; what the caller is told about an unknown or unfit one: [`document_problem`]; the machine readable zone: [`mrz`] |
//! | R15, R19 references to cases and appointments | [mod@reference] |
//! | R16 questions | [`question`]; what they ask about: [`fact`]; which are not repeated: [`question_memory`] |
//! | R17 comparison of answers | [`answer`] |
//! | R18 what counts as failed | [`failed_verification`] |
//! | R20 witnesses | [`witness`] |
//! | R2, R3, R4 tries to redeem a PIN | [`redemption`] |
//! | R4, R18, R25 limits of a person | [`person_limit`] |
//! | R22, R23 levels of assurance | [`assurance`] |
//! | R28 when the level is High | [`assurance_at_counter`] |
//! | R24 languages | [`language`] |
//! | R29 what follows a failed hand-over of an SMS | [`dispatch`] |
//! | the figures that can be configured, with their defaults | [`rule_settings`]; those of the PIN, the hold and the eligibility: [`pin`], [`hold`], [`eligibility`] |
//!
//! R8 is applied by SQL statements in `store`, with the figures of [`hold`].

pub mod answer;
pub mod assurance;
pub mod assurance_at_counter;
pub mod audit;
pub mod birth_date;
pub mod calendar;
pub mod channel;
pub mod cpr;
pub mod dispatch;
pub mod document;
pub mod document_acceptance;
pub mod document_list;
pub mod document_problem;
pub mod eligibility;
pub mod fact;
pub mod failed_verification;
pub mod hold;
pub mod language;
pub mod mobile;
pub mod mrz;
pub mod order;
pub mod person;
pub mod person_limit;
pub mod pin;
pub mod question;
pub mod question_memory;
pub mod reason;
pub mod redemption;
pub mod reference;
pub mod rule_settings;
pub mod stated_reason;
mod time_spans;
pub mod witness;

#[cfg(test)]
pub(crate) mod fixture;
