//! Checks the settings of the issuers of ID tokens.

use super::problems::Problems;
use crate::config::Config;
use crate::login::{IssuerList, IssuerSettings, Subjects};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    check_section("web_login", &config.web_login, Subjects::Persons, problems);
    check_section("agent_login", &config.agent_login, Subjects::Agents, problems);
    for agents in &config.agent_login.0 {
        let is_shared = |persons: &IssuerSettings| {
            !agents.issuer.is_empty() && (&persons.issuer, &persons.audience) == (&agents.issuer, &agents.audience)
        };
        problems.add_unless(
            !config.web_login.0.iter().any(is_shared),
            "agent_login.audience",
            "must not be the audience of web_login at the same issuer: a person's login would be an agent's; register a \
             client of its own for agents",
        );
    }
}

fn check_section(section: &str, issuers: &IssuerList, subjects: Subjects, problems: &mut Problems) {
    problems.add_unless(!issuers.0.is_empty(), section, "must name at least one issuer");
    for (index, login) in issuers.0.iter().enumerate() {
        let key = |key: &str| match issuers.0.len() {
            1 => format!("{section}.{key}"),
            _ => format!("{section}[{index}].{key}"),
        };
        if let Err(error) = login.check() {
            problems.add(&key("issuer"), error.to_string());
        }
        problems.add_unless(
            issuers.0[..index].iter().all(|other| other.issuer != login.issuer),
            &key("issuer"),
            "must be in one section only: a token's iss decides by which settings it is read",
        );
        problems.add_unless(
            !login.audience.is_empty(),
            &key("audience"),
            "is missing; set it to our client id, as in the tokens' aud",
        );
        for (claim_key, problem) in login.find_claim_problems(subjects) {
            problems.add(&key(claim_key), problem);
        }
        problems.require_positive(&key("timeout"), login.timeout);
    }
}
