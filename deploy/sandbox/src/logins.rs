//! Reads the logins of persons and agents from the bodies of `POST /login` and `POST /agent-login`.

use chrono::TimeDelta;
use made_up_world::issuers::{Login, LoginOptions};
use made_up_world::people::{Account, People, uuid_of};
use temporary_pin::domain::assurance::AssuranceLevel;

use crate::request_body::{BadRequest, Fields};

/// The oldest login: a year ago.
const MAX_AUTH_AGE_SECONDS: u32 = 366 * 24 * 3600;

/// How the names of professional witnesses begin (R20).
const PROFESSIONAL: &str = "professional-";

const MAX_AGENT_NAME_LENGTH: usize = 64;

/// Reads a person's login. A blocked person can log in: the block may be newer than the login.
pub(crate) fn read_person_login(people: &People, mut fields: Fields) -> Result<Login, BadRequest> {
    let id = fields.take_text("person")?;
    let person = people.by_id(&id).ok_or_else(|| {
        BadRequest::field("person", format!("no person has the id {id:?}: GET /people lists all persons"))
    })?;
    let account = person
        .account
        .as_ref()
        .ok_or_else(|| BadRequest::field("person", format!("{id} has no MitID account to log in with")))?;
    let nonce = Some(fields.take_text("nonce")?);
    let options = read_options(&mut fields)?;
    fields.finish()?;
    // Different from the UUID of the account, so that a service that confuses the two claims fails.
    let subject = uuid_of(&format!("subject of {id}")).to_string();
    Ok(Login { subject, mitid_uuid: Some(account.mitid_uuid), nonce, is_professional_witness: false, options })
}

/// Reads an agent's login. Any name is an agent. An agent with the id of a person is that person. `clerk-…` have a MitID
/// account that the register does not know. Other agents log in without MitID.
/// `professional-…` have the role of a professional witness, who needs a nonce.
pub(crate) fn read_agent_login(people: &People, mut fields: Fields) -> Result<Login, BadRequest> {
    let agent = fields.take_text("agent")?;
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if agent.is_empty() || agent.len() > MAX_AGENT_NAME_LENGTH || !agent.bytes().all(is_allowed) {
        return Err(BadRequest::field("agent", "must be 1 to 64 small letters, digits and hyphens, such as clerk-1"));
    }
    let own = people.by_id(&agent).and_then(|person| person.account.as_ref());
    let mitid_uuid = match own {
        Some(Account { mitid_uuid, .. }) => Some(*mitid_uuid),
        None => agent.starts_with("clerk-").then(|| uuid_of(&format!("agent {agent}"))),
    };
    let nonce = fields.take_optional_text("nonce")?;
    let options = read_options(&mut fields)?;
    fields.finish()?;
    let is_professional_witness = agent.starts_with(PROFESSIONAL);
    Ok(Login { subject: agent, mitid_uuid, nonce, is_professional_witness, options })
}

fn read_options(fields: &mut Fields) -> Result<LoginOptions, BadRequest> {
    let assurance = match fields.take_optional_text("assurance")? {
        None => AssuranceLevel::Substantial,
        Some(name) => [AssuranceLevel::Low, AssuranceLevel::Substantial, AssuranceLevel::High]
            .into_iter()
            .find(|level| level.as_str() == name)
            .ok_or_else(|| BadRequest::field("assurance", "must be Low, Substantial or High"))?,
    };
    let auth_age = fields.take_optional_number("auth_age_seconds", MAX_AUTH_AGE_SECONDS)?.unwrap_or(0);
    Ok(LoginOptions {
        auth_age: TimeDelta::seconds(auth_age.into()),
        assurance,
        audience: fields.take_optional_text("audience")?,
        issuer: fields.take_optional_text("issuer")?,
        is_expired: fields.take_flag("expired")?,
        ..LoginOptions::default()
    })
}
