//! Witnesses at the counter (R20).

use chrono::{DateTime, Utc};

use super::calendar::{after, age_on, date_in_copenhagen};
use super::channel::Channel;
use super::eligibility::cpr_denial;
use super::person::{MitidUuid, Person};
use super::rules::VerificationRules;

/// R20: whether the witness may vouch for the person now. The witness's document is judged apart from this.
///
/// `clerk` is the clerk's own MitID; when it is not known, nobody can tell that the clerk is not the witness, so the
/// answer is no. `uses`: how often the witness has vouched within `rules.witness_window`.
#[must_use]
pub fn judge(
    witness: &Person,
    person: &Person,
    clerk: Option<MitidUuid>,
    uses: u32,
    rules: &VerificationRules,
    now: DateTime<Utc>,
) -> bool {
    let Some(account) = witness.mitid_account.as_ref().filter(|account| account.active) else { return false };
    let long_enrolled = account.enrolment_time.is_some_and(|time| after(time, rules.witness_enrolment) < now);
    let of_age = age_on(witness.birth_date, date_in_copenhagen(now)) >= rules.witness_minimum_age;
    let is_clerk = clerk.is_none_or(|clerk| clerk == account.mitid_uuid);
    // The dead, the disappeared and numbers that are nobody's vouch for nobody.
    let exists = cpr_denial(witness, Channel::Counter).is_none();
    long_enrolled && of_age && exists && !is_clerk && !witness.is_same_as(person) && uses < rules.witness_times
}
