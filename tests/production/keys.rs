//! Keys change while the service runs, and pseudonyms while it does not; nobody notices but who looks into the tables.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{AccessHold, PersonReference, Reason};
use temporary_pin::store::PoolSettings;
use temporary_pin::store::upkeep::rekey::{PSEUDONYM_COLUMNS, Rekeying};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::{World, until};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const TAKEN: &str = "read again";
const REFUSED: &str = "cannot be read again; what was read before serves on";

/// An installation whose processes read the key ring when they are asked to, and not before.
async fn open() -> (World, Installation) {
    let world = World::around(Sandbox::start(&["--people", "8"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("SERVER__RELOAD_INTERVAL", "1h");
    // However long the gateway was down.
    installation.set("SMS__DISPATCHER__RETRY_DELAY_LIMIT", "1s");
    (world, installation)
}

fn keys(installation: &Installation, arguments: &[&str]) {
    let ring = installation.path("keys.toml");
    installation.run(&[&["keys"], arguments, &["--ring", &ring]].concat());
}

/// Asks the processes to read the key ring, and waits until they say so.
async fn reload(processes: &[&Process<'_>], message: &str) {
    for process in processes {
        let count = || process.logged(message).iter().filter(|line| line["role"] == "keys").count();
        let before = count();
        process.hang_up();
        until(message, async || count() > before).await;
    }
}

async fn gateway(world: &World, mode: &str) {
    world.sandbox.post("/gateway", json!({ "mode": mode })).await;
}

/// Whoever is spoken to from now on.
fn speak_to(world: &mut World, process: &Process<'_>, caller: &str) {
    world.channel = process.caller(caller);
}

async fn redeems(world: &mut World, process: &Process<'_>, person: &Person, pin: &str) {
    speak_to(world, process, "redeemer");
    let outcome = world.redeem(person.reference(), pin).await.unwrap().outcome();
    assert_eq!(outcome, Outcome::Redeemed, "{}", person.id());
}

/// The PIN on the person's phone, once it is there.
async fn pin(world: &World, person: &Person) -> String {
    let path = format!("/phones/{}/messages", person.mobile_number());
    let last = async || world.sandbox.get(&path).await.as_array().unwrap().last().cloned();
    until("the SMS arrives", async || last().await.is_some()).await;
    pin_in(last().await.unwrap()["text"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn verifier_sealing_and_audit_keys_change_and_nobody_notices() {
    let (mut world, installation) = open().await;
    let (one, two) = (installation.start().await, installation.start().await);
    let people = [world.somebody().await, world.somebody().await, world.somebody().await, world.somebody().await];
    let [old, verified, queued, new] = &people;

    speak_to(&mut world, &one, "phone");
    let verification = world.identify(old).await;
    world.issue("phone", &verification).await.unwrap();
    let old_pin = pin(&world, old).await;
    let old_verification = world.identify(verified).await;
    let verification = world.identify(queued).await;
    let new_verification = world.identify(new).await;
    gateway(&world, "down").await;
    world.issue("phone", &verification).await.unwrap();
    until("the gateway was tried", async || {
        installation.count("outbox WHERE state = 'queued' AND attempts > 0").await == 1
    })
    .await;

    let rotated = ["verifier", "sealing", "audit"];
    for purpose in rotated {
        keys(&installation, &["add", "--purpose", purpose]);
    }
    reload(&[&one, &two], TAKEN).await;
    for purpose in rotated {
        keys(&installation, &["activate", "--purpose", purpose, "--id", "2"]);
    }
    reload(&[&one], TAKEN).await;

    // One uses the new keys, the other only knows them.
    world.issue("phone", &new_verification).await.unwrap();
    assert_eq!(installation.count("pin_requests WHERE verifier_key_id = 2").await, 1);
    assert_eq!(installation.count("outbox WHERE substr(sealed_body, 1, 4) = '\\x00000002'").await, 1);
    gateway(&world, "accept").await;
    let new_pin = pin(&world, new).await;
    redeems(&mut world, &two, new, &new_pin).await;
    speak_to(&mut world, &one, "phone");
    let person = world.somebody().await;
    let newer_verification = world.identify(&person).await;
    speak_to(&mut world, &two, "phone");
    world.issue("phone", &newer_verification).await.unwrap();
    let other_pin = pin(&world, &person).await;
    redeems(&mut world, &one, &person, &other_pin).await;

    reload(&[&two], TAKEN).await;
    redeems(&mut world, &two, old, &old_pin).await;
    let queued_pin = pin(&world, queued).await;
    redeems(&mut world, &two, queued, &queued_pin).await;
    speak_to(&mut world, &two, "phone");
    world.issue("phone", &old_verification).await.unwrap();
    until("sealed", async || installation.count("audit_seals WHERE key_id = 2").await > 0).await;
    let (status, said, _) = installation.output(&["audit", "verify"], "");
    assert_eq!(status, Some(0), "{said}");

    // A ring that cannot read what is there is not taken.
    let ring = installation.read("keys.toml");
    let other = installation.path("other.toml");
    installation.run(&["keys", "generate", "--out", &other]);
    for weaker in [installation.read("other.toml"), "[audit]\n".to_owned()] {
        installation.write("keys.toml", &weaker);
        reload(&[&one], REFUSED).await;
    }
    installation.write("keys.toml", &ring);
    let verified_pin = pin(&world, verified).await;
    redeems(&mut world, &one, verified, &verified_pin).await;
}

/// Every value of the columns that are re-keyed.
async fn pseudonyms(database: &mut PgConnection) -> BTreeSet<Vec<u8>> {
    let mut all = BTreeSet::new();
    for (table, columns) in PSEUDONYM_COLUMNS {
        for column in columns {
            let values = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
            all.extend(
                sqlx::query_scalar::<_, Vec<u8>>(AssertSqlSafe(values)).fetch_all(&mut *database).await.unwrap(),
            );
        }
    }
    all
}

/// Every value of bytes outside the audit.
async fn all_bytes(database: &mut PgConnection) -> Vec<Vec<u8>> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'bytea' AND table_name NOT LIKE 'audit%'",
    )
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let mut all = Vec::new();
    for (table, column) in columns {
        let values = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
        all.extend(sqlx::query_scalar::<_, Vec<u8>>(AssertSqlSafe(values)).fetch_all(&mut *database).await.unwrap());
    }
    all
}

async fn health(process: &Process<'_>) -> ServingStatus {
    let answer = HealthClient::new(process.caller("web")).check(HealthCheckRequest::default()).await;
    answer.unwrap().into_inner().status()
}

async fn hold(world: &mut World, process: &Process<'_>, person: PersonReference) -> AccessHold {
    speak_to(world, process, "web");
    world.check("web", person).await.unwrap().access_hold.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pseudonyms_change_and_persons_stay_who_they_are() {
    let (mut world, installation) = open().await;
    let mut process = installation.start().await;
    let people = [world.somebody().await, world.somebody().await, world.somebody().await, world.somebody().await];
    let [open, failed, queued, verified] = &people;
    let holding = world.person("anna").await;

    speak_to(&mut world, &process, "web");
    world.log_in(&holding).await;
    let hold_before = hold(&mut world, &process, holding.reference()).await;
    speak_to(&mut world, &process, "phone");
    let verification = world.identify(open).await;
    world.issue("phone", &verification).await.unwrap();
    let open_pin = pin(&world, open).await;
    world.fail(failed).await;
    world.fail(failed).await;
    let old_verification = world.identify(verified).await;
    gateway(&world, "down").await;
    let verification = world.identify(queued).await;
    world.issue("phone", &verification).await.unwrap();
    let mut database = PgConnection::connect(&installation.database_url()).await.unwrap();
    let before = pseudonyms(&mut database).await;
    assert!(before.len() > 10);

    // Not beside a running service, which does not take the key by itself.
    keys(&installation, &["add", "--purpose", "pseudonym"]);
    reload(&[&process], TAKEN).await;
    keys(&installation, &["activate", "--purpose", "pseudonym", "--id", "2"]);
    reload(&[&process], REFUSED).await;
    let refused = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("instances are connected to the database"), "{said}");
    process.terminate();
    process.wait().await;

    // Broken off in the middle of its work.
    let ring = temporary_pin::keys::KeyRing::load(installation.path("keys.toml").as_ref()).unwrap();
    let settings = PoolSettings { acquire_timeout: Duration::from_secs(10), ..PoolSettings::default() };
    let mut rekeying = Rekeying::begin(&installation.url_as_owner(), &settings, 2, 1).await.unwrap().unwrap();
    for _ in 0..2 {
        rekeying.next_batch(|from, old| ring.rekey_pseudonym(from, old)).await.unwrap().unwrap();
    }
    drop(rekeying);

    // R26: an instance that is started meanwhile waits.
    let process = installation.start_listening();
    assert_eq!(health(&process).await, ServingStatus::NotServing);
    speak_to(&mut world, &process, "phone");
    let refusal = world.check("phone", open.reference()).await.unwrap_err();
    assert_eq!(refusal.code, tonic::Code::Unavailable);

    let done = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && said.ends_with("the pseudonyms are under key 2\n"), "{said}{:?}", done.stderr);
    process.until_serving().await;
    let again = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "the pseudonyms are under key 2 already\n");

    let found = all_bytes(&mut database).await;
    assert!(found.len() > before.len());
    assert!(found.iter().all(|bytes| !before.contains(bytes)), "an old pseudonym is left");

    let hold_after = hold(&mut world, &process, holding.reference()).await;
    assert_eq!(hold_after, hold_before);
    assert_eq!(hold_after.state(), access_hold::State::Running);
    redeems(&mut world, &process, open, &open_pin).await;
    speak_to(&mut world, &process, "phone");
    world.issue("phone", &old_verification).await.unwrap();
    world.fail(failed).await;
    world.call(failed).await.unwrap_err().assert_limit(Reason::VerificationLimit);
    gateway(&world, "accept").await;
    let queued_pin = pin(&world, queued).await;
    redeems(&mut world, &process, queued, &queued_pin).await;

    // The audit has what was before and what came after, found under the one person.
    let uuid = open.0["mitid_uuid"].as_str().unwrap();
    let (status, events, said) = installation.output(&["audit", "export", "--mitid-uuid", "-"], uuid);
    assert_eq!(status, Some(0), "{said}");
    assert!(events.contains("pin_issued") && events.contains("pin_redeemed"), "{events}");
    assert!(installation.count("audit_events WHERE pseudonym_key_id = 1").await > 0);
    assert!(installation.count("audit_events WHERE pseudonym_key_id = 2").await > 0);
    let (status, said, _) = installation.output(&["audit", "verify"], "");
    assert_eq!(status, Some(0), "{said}");
}
