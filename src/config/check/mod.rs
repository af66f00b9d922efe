//! Checks that types cannot express: ranges, readable files, and relations between settings. All problems are reported
//! at once.

mod access;
mod dependencies;
mod logins;
mod problems;
mod rules;
mod sms;

use self::problems::Problems;
use super::Config;

/// Every problem of the configuration: key, problem and a valid value.
pub(super) fn find_problems(config: &Config) -> Vec<String> {
    let mut problems = Problems::default();
    access::check(config, &mut problems);
    dependencies::check(config, &mut problems);
    rules::check(config, &mut problems);
    problems.into_messages()
}
