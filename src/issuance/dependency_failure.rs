//! The services that the use cases depend on, and their failures (R26).

/// A service that the use cases cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// The database.
    Postgres,
    /// Holds the limits and the holds of the guard.
    Redis,
    /// The identity register.
    Register,
    /// The OpenID Connect issuers whose keys sign ID tokens.
    Login,
}

impl Dependency {
    /// The name used in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Register => "register",
            Self::Login => "login",
        }
    }
}

/// A dependency that failed or did not answer in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyFailure {
    /// Which one failed.
    pub dependency: Dependency,
    /// The cause, for the log only. Holds no personal data.
    pub cause: String,
}
