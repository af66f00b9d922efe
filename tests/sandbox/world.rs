//! The cast, the clock, and what the sandbox removes when it stops.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use redis::AsyncCommands as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use temporary_pin::clock::{Clock as _, SystemClock};
use test_support::sandbox::Sandbox;

#[tokio::test]
async fn people_are_listed_with_everything_needed_to_act_as_them() {
    let sandbox = Sandbox::start(&[]);
    let people = sandbox.get("/people").await;
    let anna = people.as_array().unwrap().iter().find(|person| person["id"] == "anna").unwrap();
    assert_eq!(anna, &sandbox.get("/people/anna").await);
    assert_eq!(
        anna["expected"]["web"],
        json!({ "status": "STATUS_NOT_YET", "reasons": ["REASON_ACCESS_NOT_REQUESTED"] })
    );
    assert_eq!(anna["expected"]["phone"], json!({ "status": "STATUS_ELIGIBLE", "reasons": [] }));
    assert_eq!(anna["expected_verification"]["phone"]["state"], "STATE_QUESTIONS_PENDING");
    assert_eq!(anna["documents"][0]["kind"], "KIND_PASSPORT");
    assert_eq!(anna["documents"][0]["mrz_lines"][1].as_str().unwrap().len(), 44);
    assert_eq!(anna["facts"].as_object().unwrap().len(), 10);
    assert_eq!(anna["facts"]["KIND_CHILD_BIRTH_DATE"].as_array().unwrap().len(), 2);
    let refused = sandbox.get("/people/lost-passport").await;
    assert_eq!(refused["expected_verification"]["phone"]["reasons"], json!(["REASON_IDENTITY_NOT_CONFIRMED"]));
}

#[tokio::test]
async fn a_person_can_be_changed_and_a_mistake_names_its_field() {
    let sandbox = Sandbox::start(&[]);
    let changed = sandbox.post("/people/anna", json!({ "mobile_number": "+4526999999", "cpr_status": "90" })).await;
    assert_eq!(changed["mobile_number"], "+4526999999");
    assert_eq!(changed["changes"]["cpr_status"], "90");
    let time: DateTime<Utc> = changed["changes"]["mobile_change_time"].as_str().unwrap().parse().unwrap();
    assert!((SystemClock.now() - time).num_minutes() < 5, "a new number counts as changed now: {time}");
    let again = sandbox.post("/people/anna", json!({ "mitid_state": "blocked", "mobile_number": "" })).await;
    assert_eq!((&again["changes"]["cpr_status"], &again["mobile_number"]), (&json!("90"), &Value::Null));
    assert_eq!(sandbox.get("/people/anna").await, again);
    for (id, body, field) in [
        ("anna", json!({ "mobile_number": "20 12 34 56" }), "mobile_number"),
        ("anna", json!({ "mobile_change_time": "yesterday" }), "mobile_change_time"),
        ("anna", json!({ "mobile_change_age_seconds": -1 }), "mobile_change_age_seconds"),
        ("anna", json!({ "cpr_status": "dead" }), "cpr_status"),
        ("anna", json!({ "mitid_state": "lost" }), "mitid_state"),
        ("anna", json!({ "known": "no" }), "known"),
        ("anna", json!({ "shoe_size": 42 }), "shoe_size"),
        ("no-mitid", json!({ "mitid_state": "active" }), "mitid_state"),
        ("no-cpr-number", json!({ "cpr_status": "01" }), "cpr_status"),
    ] {
        let refused = sandbox.try_post(&format!("/people/{id}"), body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(refused.json::<Value>().await.unwrap()["field"], field);
    }
    assert_eq!(sandbox.try_post("/people/nobody", "{}").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn ordinary_persons_are_generated_in_the_wanted_number() {
    let (few, many) = (Sandbox::start(&[]), Sandbox::start(&["--people", "30", "--seed", "7"]));
    let count = async |sandbox: &Sandbox| sandbox.get("/people").await.as_array().unwrap().len();
    assert_eq!(count(&many).await, count(&few).await + 30);
    assert_eq!(many.get("/people/person-30").await["expected"]["phone"]["status"], "STATUS_ELIGIBLE");
}

/// Also if tests claim at the same time.
#[tokio::test]
async fn a_person_is_claimed_once() {
    let sandbox = Sandbox::start(&["--people", "20"]);
    let claims = join_all((0..20).map(|_| sandbox.post("/people/claim", json!({})))).await;
    let ids: BTreeSet<&str> = claims.iter().map(|person| person["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 20, "{ids:?}");
    assert!(ids.iter().all(|id| id.starts_with("person-")), "{ids:?}");
    let refused = sandbox.try_post("/people/claim", "").await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(refused.text().await.unwrap().contains("--people"));
}

#[tokio::test]
async fn the_clock_can_be_moved_forward() {
    let sandbox = Sandbox::start(&[]);
    let time = |answer: Value| answer["time"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let before = time(sandbox.get("/clock").await);
    let told = time(sandbox.post("/clock/advance", json!({ "seconds": 86_400 })).await);
    let after = time(sandbox.get("/clock").await);
    assert!(told >= before + TimeDelta::hours(24) && told <= after, "{before} {told} {after}");
    for wrong in [json!({}), json!({ "seconds": -1 }), json!({ "seconds": "1" }), json!({ "seconds": 1e12 })] {
        let refused = sandbox.try_post("/clock/advance", wrong).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(refused.json::<Value>().await.unwrap()["field"], "seconds");
    }
}

#[tokio::test]
async fn unknown_modes_are_refused() {
    let sandbox = Sandbox::start(&[]);
    for path in ["/gateway", "/register"] {
        let refused = sandbox.try_post(path, json!({ "mode": "sideways" })).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        assert_eq!(refused.json::<Value>().await.unwrap()["field"], "mode");
    }
}

#[tokio::test]
async fn nothing_remains_on_the_servers() {
    let mut sandbox = Sandbox::start(&[]);
    let database_url = std::env::var("DATABASE_URL").unwrap();
    let mut server = PgConnection::connect(&database_url).await.unwrap();
    let ours = sandbox.get("/scratch").await["name"].as_str().unwrap().to_owned();
    let mut databases = async || -> bool {
        let exists = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)
            OR EXISTS (SELECT FROM pg_roles WHERE rolname LIKE $1 || '%')";
        sqlx::query_scalar(exists).bind(&ours).fetch_one(&mut server).await.unwrap()
    };
    let redis = redis::Client::open(std::env::var("REDIS_URL").unwrap()).unwrap();
    let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
    let key = format!("{ours}:left behind");
    redis.set::<_, _, ()>(&key, "x").await.unwrap();
    assert!(databases().await);

    assert!(sandbox.stop().success());

    assert!(!databases().await);
    assert!(!redis.exists::<_, bool>(&key).await.unwrap());
}
