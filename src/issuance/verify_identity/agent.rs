//! Phone and counter: the agent who acts for the caller (R22).

use secrecy::{ExposeSecret as _, SecretString};

use super::VerifyIdentity;
use crate::domain::person::{AgentKey, Person};
use crate::domain::reason::Reason;
use crate::issuance::{Dependency, Refusal};
use crate::login::{Agent, LoginError};

impl VerifyIdentity<'_> {
    /// Verifies the agent's ID token. Call this only after the caller's call is spent, so that calls with bad tokens count against
    /// the caller's limit too.
    pub(super) async fn verify_agent(&self, token: &SecretString) -> Result<(Agent, AgentKey), Refusal> {
        let max_age = self.rules.verification.agent_login_age;
        let agent = self.agent_login.verify_agent_login(token.expose_secret(), self.call.now, max_age).await;
        let agent = agent.map_err(|error| match error {
            LoginError::Denied { reason, .. } => Refusal::NotAllowed(reason),
            LoginError::Unavailable => Refusal::unavailable(Dependency::Login, &error),
        })?;
        let key = self.keys.agent_key(&agent.issuer, &agent.subject);
        Ok((agent, key))
    }
}

/// Refuses an agent who verifies their own identity.
pub(super) fn refuse_self_service(agent: &Agent, person: &Person) -> Result<(), Refusal> {
    match &agent.person {
        Some(own) if person.is_named_by(own) => Err(Refusal::NotAllowed(Reason::AgentNotAccepted)),
        _ => Ok(()),
    }
}
