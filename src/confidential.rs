//! Which addresses secrets and personal data may be sent to.

use std::net::IpAddr;

/// Whether nobody can listen in on the way to a URL's host: https, or http that does not leave the machine.
pub(crate) fn is_confidential(scheme: &str, host: &str) -> bool {
    // A URL has an IPv6 address in brackets.
    let host = host.trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    scheme == "https" || (scheme == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::tls("https", "register.example", true)]
    #[case::open("http", "register.example", false)]
    #[case::this_machine("http", "127.0.0.1", true)]
    #[case::this_machine_6("http", "[::1]", true)]
    #[case::this_machine_by_name("http", "localhost", true)]
    #[case::looks_like_this_machine("http", "127.0.0.1.example", false)]
    #[case::every_address("http", "0.0.0.0", false)]
    #[case::other_scheme("ftp", "localhost", false)]
    #[case::none("", "", false)]
    fn no_line_that_others_can_listen_in_on(#[case] scheme: &str, #[case] host: &str, #[case] confidential: bool) {
        assert_eq!(is_confidential(scheme, host), confidential);
    }
}
