//! Reads the logins of persons and agents from the bodies of `POST /login` and `POST /agent-login`.

use chrono::TimeDelta;
use made_up_world::issuers::{Login, LoginOptions};
use made_up_world::people::{Account, People, uuid_of};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::login::Broker;

use crate::request_body::{BadRequest, Fields};

/// The oldest login: a year ago.
const MAX_AUTH_AGE_SECONDS: u32 = 366 * 24 * 3600;

/// How the names of professional witnesses begin (R20).
const PROFESSIONAL: &str = "professional-";

const MAX_AGENT_NAME_LENGTH: usize = 64;

/// Reads a person's login. A blocked person can log in: the block may be newer than the login.
pub(crate) fn read_person_login(people: &People, mut fields: Fields) -> Result<(Login, Option<Broker>), BadRequest> {
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
    let broker = read_broker(&mut fields, false)?;
    fields.finish()?;
    if broker == Some(Broker::NemloginBridge) && person.cpr_number.is_none() {
        return Err(BadRequest::field("broker", format!("{id} has no CPR number, by which this broker names persons")));
    }
    // Different from the UUID of the account, so that a service that confuses the two claims fails.
    let subject = uuid_of(&format!("subject of {id}")).to_string();
    let cpr_number = person.cpr_number.clone();
    let mitid_uuid = Some(account.mitid_uuid);
    Ok((Login { subject, mitid_uuid, cpr_number, nonce, is_professional_witness: false, options }, broker))
}

/// Reads an agent's login. Any name is an agent. An agent with the id of a person is that person. `clerk-…` have a MitID
/// account that the register does not know. Other agents log in without MitID.
/// `professional-…` have the role of a professional witness, who needs a nonce.
pub(crate) fn read_agent_login(people: &People, mut fields: Fields) -> Result<(Login, Option<Broker>), BadRequest> {
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
    let broker = read_broker(&mut fields, true)?;
    fields.finish()?;
    let is_professional_witness = agent.starts_with(PROFESSIONAL);
    Ok((Login { subject: agent, mitid_uuid, cpr_number: None, nonce, is_professional_witness, options }, broker))
}

/// Reads the broker whose form the tokens get. `None`: they get the form of the sandbox's own issuer.
fn read_broker(fields: &mut Fields, for_agents: bool) -> Result<Option<Broker>, BadRequest> {
    let Some(name) = fields.take_optional_text("broker")? else { return Ok(None) };
    let known = Broker::ALL.into_iter().filter(|broker| broker.is_for_agents() == for_agents);
    let names: Vec<&str> = known.clone().map(Broker::as_str).collect();
    let broker = known.into_iter().find(|broker| broker.as_str() == name);
    broker.map(Some).ok_or_else(|| BadRequest::field("broker", format!("must be one of {}", names.join(", "))))
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
        is_business: fields.take_flag("business")?,
        ..LoginOptions::default()
    })
}
