//! Decides which URLs secrets and personal data may be sent to.

use std::net::IpAddr;

/// Whether data sent to a URL cannot be intercepted: the scheme is https, or it is http to a loopback address.
pub(crate) fn is_confidential(scheme: &str, host: &str) -> bool {
    // In a URL, an IPv6 address is in brackets.
    let host = host.trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    scheme == "https" || (scheme == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::tls("https", "register.example", true)]
    #[case::plaintext("http", "register.example", false)]
    #[case::loopback("http", "127.0.0.1", true)]
    #[case::loopback_ipv6("http", "[::1]", true)]
    #[case::localhost("http", "localhost", true)]
    #[case::name_that_starts_like_loopback("http", "127.0.0.1.example", false)]
    #[case::unspecified_address("http", "0.0.0.0", false)]
    #[case::other_scheme("ftp", "localhost", false)]
    #[case::empty("", "", false)]
    fn only_https_and_loopback_are_confidential(#[case] scheme: &str, #[case] host: &str, #[case] expected: bool) {
        assert_eq!(is_confidential(scheme, host), expected);
    }
}
