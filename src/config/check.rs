//! What must hold beyond types and between settings. Every problem is found at once, and each names its key, what is
//! wrong and what would be right.

use super::{Config, check_access, check_parts, check_rules};

/// Everything that is wrong.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let mut problems = Problems::default();
    check_access::check(config, &mut problems);
    check_parts::check(config, &mut problems);
    check_rules::check(config, &mut problems);
    problems.0
}

/// The problems found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Notes a problem with `key` unless it is `fine`.
    pub(super) fn unless(&mut self, fine: bool, key: &str, problem: impl AsRef<str>) {
        if !fine {
            self.0.push(format!("{key}: {}", problem.as_ref()));
        }
    }

    /// A URL that is set and does not go over an open line: https, or http on a loopback address.
    pub(super) fn unless_secure_url(&mut self, key: &str, url: &str) {
        let Ok(parsed) = reqwest::Url::parse(url) else {
            return self.unless(false, key, "is missing or no URL; write https://host:port");
        };
        let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let fine = parsed.scheme() == "https" || (parsed.scheme() == "http" && loopback);
        self.unless(fine, key, "would send personal data over an open line; write https:// (http only on loopback)");
    }
}
