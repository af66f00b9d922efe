//! The sandbox's HTTP interface. Bodies are JSON objects whatever their content type; a mistake in one is answered with
//! 400 and `{"field", "error"}`.
//!
//! | request | answer |
//! |---|---|
//! | `GET /people`, `GET /people/{id}` | all persons, or one person |
//! | `POST /people/{id}` | changes the person from now on: `mobile_number` (empty: none), `mobile_change_time` or `mobile_change_age_seconds`, `cpr_status`, `mitid_state`, `known` |
//! | `POST /people/claim` | an ordinary person that no earlier request has claimed |
//! | `POST /login` `{person, nonce}` | `{id_token}`; options: `auth_age_seconds`, `assurance`, `audience`, `issuer`, `expired` |
//! | `POST /agent-login` `{agent}` | `{agent_token}`; the same options, and `nonce` |
//! | `GET /phones/{E.164}/messages` | a list, oldest first; with `?expect=N` it waits for N messages, at most 10 s |
//! | `GET /` | all phones, as a page |
//! | `GET /outbox` | `{due}`: how many messages the service has yet to send; at 0 the phones show every message |
//! | `GET /clock`, `POST /clock/advance` `{seconds}` | `{time}` |
//! | `POST /gateway` `{mode}` | accept, reject, slow (with `seconds`), down (refuses connections), answer (with `status`, and optionally `body`, `retry_after`), half (an answer that breaks off); with `takes` the last two deliver the message |
//! | `GET /gateway`, `GET /register` | `{url}` for another installation of the service |
//! | `POST /register` `{mode}` | up, slow (with `seconds`) or down |
//! | `GET /register/records` | what the register holds, for registers in other languages |
//! | `GET /certificates` | the files of mutual TLS: `ca`, and `callers` with `certificate` and `key` of each |
//! | `GET /scratch` | `{name}` of this sandbox's database, which is also the prefix of its Redis keys |

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use made_up_world::gateway::{FixedAnswer, GatewayMode};
use made_up_world::people::Person;
use made_up_world::register::RegisterMode;
use serde::Deserialize;
use serde_json::{Value, json};
use temporary_pin::clock::Clock as _;

use crate::request_body::{BadRequest, Fields};
use crate::world::World;
use crate::{logins, page, person_changes, register_records};

/// The clock moves by at most a year at once.
const MAX_ADVANCE_SECONDS: u32 = 366 * 24 * 3600;

/// The delay of a slow gateway or register, if the request has none.
const DEFAULT_DELAY_SECONDS: u32 = 5;

const MAX_DELAY_SECONDS: u32 = 60;

/// The statuses of final answers in HTTP.
const MIN_STATUS: u16 = 200;
const MAX_STATUS: u32 = 599;

/// Messages on the page of all phones.
const MESSAGES_SHOWN: usize = 100;

/// A message that has not been received after this time was not sent.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

type Answer = Result<Json<Value>, BadRequest>;

pub(crate) fn routes(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/people", get(people))
        .route("/people/{id}", get(person).post(change_person))
        .route("/people/claim", post(claim))
        .route("/login", post(login))
        .route("/agent-login", post(agent_login))
        .route("/phones/{number}/messages", get(messages))
        .route("/outbox", get(outbox))
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance))
        .route("/gateway", get(gateway).post(gateway_mode))
        .route("/register", get(register).post(register_mode))
        .route("/register/records", get(records))
        .route("/certificates", get(certificates))
        .route("/scratch", get(scratch))
        .with_state(Arc::clone(&world))
        .merge(world.gateway.routes())
        .merge(world.issuers.routes())
        .fallback(async || BadRequest::not_found("there is nothing at this path"))
}

async fn front(State(world): State<Arc<World>>) -> Html<String> {
    Html(page::render(&world.people, &world.phones.newest(MESSAGES_SHOWN), world.clock.now()))
}

async fn people(State(world): State<Arc<World>>) -> Json<Value> {
    Json(world.people.all().iter().map(|person| world.people.entry(person)).collect())
}

async fn person(State(world): State<Arc<World>>, Path(id): Path<String>) -> Answer {
    Ok(Json(world.people.entry(find_person(&world, &id)?)))
}

/// Changes a person while a test runs: a new mobile number, a block, a death.
async fn change_person(State(world): State<Arc<World>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let person = find_person(&world, &id)?;
    let changes = person_changes::read(person, Fields::parse(&body)?, world.clock.now())?;
    world.people.change(person, changes);
    Ok(Json(world.people.entry(person)))
}

fn find_person<'w>(world: &'w World, id: &str) -> Result<&'w Person, BadRequest> {
    world.people.by_id(id).ok_or_else(|| BadRequest::not_found(format!("no person has the id {id:?}")))
}

/// Returns each generated person to one request only. All tests share the persons of the cast.
async fn claim(State(world): State<Arc<World>>) -> Answer {
    let number = world.claimed.fetch_add(1, Ordering::Relaxed) + 1;
    let person = world.people.by_id(&format!("person-{number}"));
    person.map(|person| Json(world.people.entry(person))).ok_or_else(|| {
        BadRequest::conflict("every ordinary person is claimed: start the sandbox with a higher --people")
    })
}

async fn login(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let (login, broker) = logins::read_person_login(&world.people, Fields::parse(&body)?)?;
    let now = world.clock.now();
    let Some(broker) = broker else {
        return Ok(Json(json!({ "id_token": world.issuers.web.id_token(&login, now)? })));
    };
    let tokens = world.issuers.brokers.tokens(broker, &login, now)?;
    let mut answer = json!({ "id_token": tokens.id_token });
    if let Some(userinfo_token) = tokens.userinfo_token {
        answer["userinfo_token"] = json!(userinfo_token);
    }
    Ok(Json(answer))
}

async fn agent_login(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let (login, broker) = logins::read_agent_login(&world.people, Fields::parse(&body)?)?;
    let now = world.clock.now();
    let agent_token = match broker {
        None => world.issuers.workforce.id_token(&login, now)?,
        Some(broker) => world.issuers.brokers.tokens(broker, &login, now)?.id_token,
    };
    Ok(Json(json!({ "agent_token": agent_token })))
}

/// The query of `GET /phones/{number}/messages`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// How many messages to wait for.
    #[serde(default)]
    expect: usize,
}

async fn messages(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    expectation: Result<Query<Expectation>, QueryRejection>,
) -> Answer {
    let Query(Expectation { expect }) =
        expectation.map_err(|_| BadRequest::field("expect", "must be a number of messages"))?;
    let digits = number.strip_prefix('+').unwrap_or_default();
    if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadRequest::field("number", "must be in E.164 form, such as +4520000001"));
    }
    let all_received = async {
        while world.phones.messages(&number).len() < expect {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // After the time-out, answers with the messages that have arrived.
    let _ = tokio::time::timeout(MESSAGE_TIMEOUT, all_received).await;
    Ok(Json(json!(world.phones.messages(&number))))
}

async fn outbox(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(json!({ "due": world.outbox.count_due(world.clock.now()).await? })))
}

async fn clock(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "time": world.clock.now() }))
}

async fn advance(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let mut fields = Fields::parse(&body)?;
    let seconds = fields
        .take_optional_number("seconds", MAX_ADVANCE_SECONDS)?
        .ok_or_else(|| BadRequest::field("seconds", "is required"))?;
    fields.finish()?;
    world.clock.advance(Duration::from_secs(seconds.into()));
    Ok(Json(json!({ "time": world.clock.now() })))
}

async fn gateway(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "url": world.gateway_url() }))
}

async fn gateway_mode(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let mut fields = Fields::parse(&body)?;
    let name = fields.take_text("mode")?;
    let mode = match name.as_str() {
        "accept" => GatewayMode::Accept,
        "reject" => GatewayMode::Reject,
        "slow" => GatewayMode::Slow(read_delay(&mut fields)?),
        "down" => GatewayMode::Down,
        "answer" => GatewayMode::Answer(read_fixed_answer(&mut fields)?),
        "half" => GatewayMode::Half { takes: fields.take_flag("takes")? },
        _ => return Err(BadRequest::field("mode", "must be accept, reject, slow, down, answer or half")),
    };
    fields.finish()?;
    let is_down = mode == GatewayMode::Down;
    world.gateway.mode.set(mode);
    world.gateway_server.wait_until_listening(!is_down).await;
    Ok(Json(json!({ "mode": name })))
}

/// The answer of the gateway in the mode `answer`: `status`, and optionally `body`, `retry_after` and `takes`.
fn read_fixed_answer(fields: &mut Fields) -> Result<FixedAnswer, BadRequest> {
    let status = fields.take_optional_number("status", MAX_STATUS)?.and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| *status >= MIN_STATUS).and_then(|status| StatusCode::from_u16(status).ok());
    Ok(FixedAnswer {
        status: status.ok_or_else(|| BadRequest::field("status", "must be an HTTP status from 200 to 599"))?,
        body: fields.take_optional_text("body")?.unwrap_or_default(),
        retry_after: fields.take_optional_number("retry_after", MAX_DELAY_SECONDS)?,
        takes: fields.take_flag("takes")?,
    })
}

/// The URL of the identity register, for tests that start the service themselves.
async fn register(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "url": world.register_url }))
}

async fn register_mode(State(world): State<Arc<World>>, body: Bytes) -> Answer {
    let mut fields = Fields::parse(&body)?;
    let name = fields.take_text("mode")?;
    let mode = match name.as_str() {
        "up" => RegisterMode::Up,
        "slow" => RegisterMode::Slow(read_delay(&mut fields)?),
        "down" => RegisterMode::Down,
        _ => return Err(BadRequest::field("mode", "must be up, slow or down")),
    };
    fields.finish()?;
    world.register_mode.set(mode);
    Ok(Json(json!({ "mode": name })))
}

async fn records(State(world): State<Arc<World>>) -> Answer {
    Ok(Json(register_records::list(&world.people)?))
}

async fn certificates(State(world): State<Arc<World>>) -> Json<Value> {
    Json(world.certificates.to_json())
}

/// The name of the database and the prefix of the Redis keys, for tests that look at stored data.
async fn scratch(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "name": world.scratch_name }))
}

fn read_delay(fields: &mut Fields) -> Result<Duration, BadRequest> {
    Ok(Duration::from_secs(
        fields.take_optional_number("seconds", MAX_DELAY_SECONDS)?.unwrap_or(DEFAULT_DELAY_SECONDS).into(),
    ))
}
