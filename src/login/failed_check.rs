//! The checks of a token, as the log and `temporary-pin check-login` name them.

use std::fmt;

/// The check that a token fails. It holds nothing of the token but names of claims that the configuration names too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedCheck {
    Length,
    /// With the cause, where the library names one.
    Header(Option<&'static str>),
    /// The header's type says that this is not an ID token.
    Type,
    Issuer,
    KeyId,
    /// With the cause.
    Signature(&'static str),
    Audience,
    /// `azp`: the token was issued to another client.
    AuthorizedParty,
    Expiry,
    NotBefore,
    Nonce,
    Person,
    LoginTime,
    LoginAge,
    /// The agent does not have the role of a professional witness.
    ProfessionalWitness,
    /// With the name of the claim.
    RequiredClaim(String),
    Assurance,
    Subject,
    /// The ID token does not name the person, and there is no userinfo token.
    UserinfoMissing,
    /// There is a userinfo token, and the settings do not say that this issuer has them.
    UserinfoNotExpected,
    /// The userinfo token is another subject's.
    UserinfoSubject,
    /// Another check failed in the userinfo token.
    Userinfo(Box<FailedCheck>),
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Length => "length",
            Self::Header(None) => "header",
            Self::Header(Some(cause)) => return write!(f, "header: {cause}"),
            Self::Type => "header: type",
            Self::Issuer => "issuer",
            Self::KeyId => "key id",
            Self::Signature(cause) => return write!(f, "signature: {cause}"),
            Self::Audience => "audience",
            Self::AuthorizedParty => "authorized party",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::Nonce => "nonce",
            Self::Person => "person claim",
            Self::LoginTime => "login time",
            Self::LoginAge => "age of the login",
            Self::ProfessionalWitness => "role of a professional witness",
            Self::RequiredClaim(claim) => return write!(f, "required claim {claim}"),
            Self::Assurance => "assurance",
            Self::Subject => "sub",
            Self::UserinfoMissing => "userinfo token: missing",
            Self::UserinfoNotExpected => "userinfo token: not expected of this issuer",
            Self::UserinfoSubject => "userinfo token: another subject",
            Self::Userinfo(check) => return write!(f, "userinfo token: {check}"),
        };
        f.write_str(name)
    }
}
