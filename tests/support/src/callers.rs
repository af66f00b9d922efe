//! The callers that an installation knows.

/// Each caller with the names in its certificates and its roles.
pub const CALLERS: [(&str, &[&str], &[&str]); 6] = [
    ("web", &["spiffe://example.dk/profile-page"], &["channel:web"]),
    ("phone", &["support.example.dk"], &["channel:phone"]),
    ("counter", &["spiffe://example.dk/counter-1", "counter-2.example.dk"], &["channel:counter"]),
    ("redeemer", &["spiffe://example.dk/authenticator"], &["redeemer"]),
    ("operator", &["spiffe://example.dk/operator"], &["operator"]),
    ("both", &["both.example.dk"], &["channel:phone", "redeemer"]),
];
