//! Logins of persons and agents, as the bodies of `POST /login` and `POST /agent-login` describe them.

use chrono::TimeDelta;
use made_up_world::issuers::{Login, LoginOptions};
use made_up_world::people::{Account, People, uuid_of};
use temporary_pin::domain::assurance::AssuranceLevel;

use crate::fields::{Fields, Refusal};

/// No login is older than a year.
const MOST_AGE: u32 = 366 * 24 * 3600;

/// A person logs in. Somebody blocked can too: the block may be younger than the login.
pub(crate) fn person(people: &People, mut fields: Fields) -> Result<Login, Refusal> {
    let id = fields.text("person")?;
    let person = people
        .by_id(&id)
        .ok_or_else(|| Refusal::field("person", format!("nobody has the id {id:?}: GET /people lists them all")))?;
    let account = person
        .account
        .as_ref()
        .ok_or_else(|| Refusal::field("person", format!("{id} has no MitID account to log in with")))?;
    let nonce = Some(fields.text("nonce")?);
    let options = options(&mut fields)?;
    fields.end()?;
    // A subject that is not the UUID of the account, so that nobody can mistake the one for the other.
    let subject = uuid_of(&format!("subject of {id}")).to_string();
    Ok(Login { subject, mitid_uuid: Some(account.mitid_uuid), nonce, options })
}

/// An agent logs in. Agents come into being as they are named. `clerk-…` have a MitID account of their own, which the
/// register does not know; an agent with the id of a person is that person; the others log in without MitID.
pub(crate) fn agent(people: &People, mut fields: Fields) -> Result<Login, Refusal> {
    let agent = fields.text("agent")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if agent.is_empty() || agent.len() > 64 || !agent.bytes().all(fits) {
        return Err(Refusal::field("agent", "must be 1 to 64 small letters, digits and hyphens, such as clerk-1"));
    }
    let own = people.by_id(&agent).and_then(|person| person.account.as_ref());
    let mitid_uuid = match own {
        Some(Account { mitid_uuid, .. }) => Some(*mitid_uuid),
        None => agent.starts_with("clerk-").then(|| uuid_of(&format!("agent {agent}"))),
    };
    let options = options(&mut fields)?;
    fields.end()?;
    Ok(Login { subject: agent, mitid_uuid, nonce: None, options })
}

fn options(fields: &mut Fields) -> Result<LoginOptions, Refusal> {
    let assurance = match fields.optional_text("assurance")? {
        None => AssuranceLevel::Substantial,
        Some(name) => [AssuranceLevel::Low, AssuranceLevel::Substantial, AssuranceLevel::High]
            .into_iter()
            .find(|level| level.as_str() == name)
            .ok_or_else(|| Refusal::field("assurance", "must be Low, Substantial or High"))?,
    };
    Ok(LoginOptions {
        auth_age: TimeDelta::seconds(fields.optional_number("auth_age_seconds", MOST_AGE)?.unwrap_or(0).into()),
        assurance,
        audience: fields.optional_text("audience")?,
        issuer: fields.optional_text("issuer")?,
        is_expired: fields.flag("expired")?,
        ..LoginOptions::default()
    })
}
