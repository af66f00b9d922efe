//! Rotates keys while the service runs, and re-keys pseudonyms while it is stopped. Callers do not notice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::proto::temporarypin::v1::access_hold;
use temporary_pin::proto::temporarypin::v1::redeem_temporary_pin_response::Outcome;
use temporary_pin::proto::temporarypin::v1::{AccessHold, PersonReference, Reason};
use temporary_pin::store::PoolSettings;
use temporary_pin::store::upkeep::rekey::{PSEUDONYM_COLUMNS, Rekeying};
use temporary_pin::{keys, random};
use test_support::acts::pin_in;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const RELOADED: &str = "read again";
const NOT_RELOADED: &str = "cannot be read again; the earlier content stays in use";

/// An installation whose processes reload the key ring on SIGHUP only.
async fn new_installation() -> (World, Installation) {
    let world = World::with_sandbox(Sandbox::start(&["--people", "8"])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("SERVER__RELOAD_INTERVAL", "1h");
    // Messages are retried soon, however long the gateway was down.
    installation.set("SMS__DISPATCHER__RETRY_DELAY_LIMIT", "1s");
    (world, installation)
}

/// Runs `temporary-pin keys` on the ring of the installation.
fn run_keys(installation: &Installation, arguments: &[&str]) {
    let ring = installation.path("keys.toml");
    installation.run(&[&["keys"], arguments, &["--ring", &ring]].concat());
}

/// Makes the processes reload the key ring, and waits until each has logged the message.
async fn reload(processes: &[&Process<'_>], message: &str) {
    for process in processes {
        let count = || process.log_lines(message).iter().filter(|line| line["role"] == "keys").count();
        let before = count();
        process.send_sighup();
        wait_until(message, async || count() > before).await;
    }
}

async fn set_gateway(world: &World, mode: &str) {
    world.sandbox.post("/gateway", json!({ "mode": mode })).await;
}

/// Makes the world's calls go to this process as this caller.
fn call_as(world: &mut World, process: &Process<'_>, caller: &str) {
    world.channel = process.connect_as(caller);
}

async fn assert_redeems(world: &mut World, process: &Process<'_>, person: &Person, pin: &str) {
    call_as(world, process, "redeemer");
    let outcome = world.redeem(person.reference(), pin).await.unwrap().outcome();
    assert_eq!(outcome, Outcome::Redeemed, "{}", person.id());
}

/// Waits for the SMS with the PIN, and returns the PIN.
async fn await_pin(world: &World, person: &Person) -> String {
    let path = format!("/phones/{}/messages", person.mobile_number());
    let last = async || world.sandbox.get(&path).await.as_array().unwrap().last().cloned();
    wait_until("the SMS arrives", async || last().await.is_some()).await;
    pin_in(last().await.unwrap()["text"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn verifier_sealing_and_audit_keys_are_rotated_without_interruption() {
    let (mut world, installation) = new_installation().await;
    let (first, second) = (installation.start().await, installation.start().await);
    let people =
        [world.new_person().await, world.new_person().await, world.new_person().await, world.new_person().await];
    let [with_old_pin, verified, queued, with_new_pin] = &people;

    call_as(&mut world, &first, "phone");
    let verification = world.identify(with_old_pin).await;
    world.issue("phone", &verification).await.unwrap();
    let old_pin = await_pin(&world, with_old_pin).await;
    let old_verification = world.identify(verified).await;
    let verification = world.identify(queued).await;
    let new_verification = world.identify(with_new_pin).await;
    set_gateway(&world, "down").await;
    world.issue("phone", &verification).await.unwrap();
    wait_until("the gateway was tried", async || {
        installation.count("outbox WHERE state = 'queued' AND attempts > 0").await == 1
    })
    .await;

    let rotated = ["verifier", "sealing", "audit"];
    for purpose in rotated {
        run_keys(&installation, &["add", "--purpose", purpose]);
    }
    reload(&[&first, &second], RELOADED).await;
    for purpose in rotated {
        run_keys(&installation, &["activate", "--purpose", purpose, "--id", "2"]);
    }
    reload(&[&first], RELOADED).await;

    // The first process uses the new keys, the second only knows them.
    world.issue("phone", &new_verification).await.unwrap();
    assert_eq!(installation.count("pin_requests WHERE verifier_key_id = 2").await, 1);
    assert_eq!(installation.count("outbox WHERE substr(sealed_body, 1, 4) = '\\x00000002'").await, 1);
    set_gateway(&world, "accept").await;
    let new_pin = await_pin(&world, with_new_pin).await;
    assert_redeems(&mut world, &second, with_new_pin, &new_pin).await;
    call_as(&mut world, &first, "phone");
    let person = world.new_person().await;
    let newer_verification = world.identify(&person).await;
    call_as(&mut world, &second, "phone");
    world.issue("phone", &newer_verification).await.unwrap();
    let other_pin = await_pin(&world, &person).await;
    assert_redeems(&mut world, &first, &person, &other_pin).await;

    reload(&[&second], RELOADED).await;
    assert_redeems(&mut world, &second, with_old_pin, &old_pin).await;
    let queued_pin = await_pin(&world, queued).await;
    assert_redeems(&mut world, &second, queued, &queued_pin).await;
    call_as(&mut world, &second, "phone");
    world.issue("phone", &old_verification).await.unwrap();
    wait_until("the audit is sealed", async || installation.count("audit_seals WHERE key_id = 2").await > 0).await;
    let (status, printed, _) = installation.output(&["audit", "verify"], "");
    assert_eq!(status, Some(0), "{printed}");

    // A key ring without the keys of existing data is rejected.
    let ring = installation.read("keys.toml");
    let other = installation.path("other.toml");
    installation.run(&["keys", "generate", "--out", &other]);
    for incomplete_ring in [installation.read("other.toml"), "[audit]\n".to_owned()] {
        installation.write("keys.toml", &incomplete_ring);
        reload(&[&first], NOT_RELOADED).await;
    }
    installation.write("keys.toml", &ring);
    let verified_pin = await_pin(&world, verified).await;
    assert_redeems(&mut world, &first, verified, &verified_pin).await;
}

/// Every pseudonym in the database.
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

/// Every binary value in the database outside the audit.
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
    let answer = HealthClient::new(process.connect_as("web")).check(HealthCheckRequest::default()).await;
    answer.unwrap().into_inner().status()
}

async fn hold(world: &mut World, process: &Process<'_>, person: PersonReference) -> AccessHold {
    call_as(world, process, "web");
    world.check_eligibility("web", person).await.unwrap().access_hold.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pseudonyms_are_rekeyed_and_persons_keep_their_records() {
    let (mut world, installation) = new_installation().await;
    let mut process = installation.start().await;
    let people =
        [world.new_person().await, world.new_person().await, world.new_person().await, world.new_person().await];
    let [open, failed, queued, verified] = &people;
    let holding = world.person("anna").await;

    call_as(&mut world, &process, "web");
    world.log_in(&holding).await;
    let hold_before = hold(&mut world, &process, holding.reference()).await;
    call_as(&mut world, &process, "phone");
    let verification = world.identify(open).await;
    world.issue("phone", &verification).await.unwrap();
    let open_pin = await_pin(&world, open).await;
    world.fail_verification(failed).await;
    world.fail_verification(failed).await;
    let old_verification = world.identify(verified).await;
    set_gateway(&world, "down").await;
    let verification = world.identify(queued).await;
    world.issue("phone", &verification).await.unwrap();
    let mut database = PgConnection::connect(&installation.database_url()).await.unwrap();
    let before = pseudonyms(&mut database).await;
    assert!(before.len() > 10);

    // A running service does not switch to the new key, and re-keying is refused while it runs.
    run_keys(&installation, &["add", "--purpose", "pseudonym"]);
    reload(&[&process], RELOADED).await;
    run_keys(&installation, &["activate", "--purpose", "pseudonym", "--id", "2"]);
    reload(&[&process], NOT_RELOADED).await;
    let refused = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    assert_eq!(refused.status.code(), Some(1));
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert!(printed.contains("instances are connected to the database"), "{printed}");
    process.terminate();
    process.wait().await;

    // Re-keying is interrupted in the middle.
    let ring = temporary_pin::keys::KeyRing::load(installation.path("keys.toml").as_ref()).unwrap();
    let settings = PoolSettings { acquire_timeout: Duration::from_secs(10), ..PoolSettings::default() };
    let mut rekeying = Rekeying::begin(&installation.url_as_owner(), &settings, 2, 1).await.unwrap().unwrap();
    for _ in 0..2 {
        rekeying.next_batch(|from, old| ring.rekey_pseudonym(from, old)).await.unwrap().unwrap();
    }
    drop(rekeying);

    // R26: an instance that starts during the re-keying does not serve yet.
    let process = installation.start_listening();
    assert_eq!(health(&process).await, ServingStatus::NotServing);
    call_as(&mut world, &process, "phone");
    let refusal = world.check_eligibility("phone", open.reference()).await.unwrap_err();
    assert_eq!(refusal.code, tonic::Code::Unavailable);

    let done = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    let printed = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success() && printed.ends_with("the pseudonyms are under key 2\n"),
        "{printed}{:?}",
        done.stderr
    );
    process.wait_until_serving().await;
    let again = installation.output_as_owner(&["keys", "rekey-pseudonyms"]);
    assert_eq!(String::from_utf8(again.stdout).unwrap(), "the pseudonyms are under key 2 already\n");

    let found = all_bytes(&mut database).await;
    assert!(found.len() > before.len());
    assert!(found.iter().all(|bytes| !before.contains(bytes)), "an old pseudonym is left");

    let hold_after = hold(&mut world, &process, holding.reference()).await;
    assert_eq!(hold_after, hold_before);
    assert_eq!(hold_after.state(), access_hold::State::Running);
    assert_redeems(&mut world, &process, open, &open_pin).await;
    call_as(&mut world, &process, "phone");
    world.issue("phone", &old_verification).await.unwrap();
    world.fail_verification(failed).await;
    world.call_support(failed).await.unwrap_err().assert_limit(Reason::VerificationLimit);
    set_gateway(&world, "accept").await;
    let queued_pin = await_pin(&world, queued).await;
    assert_redeems(&mut world, &process, queued, &queued_pin).await;

    // The audit has the person's events under the old and under the new key.
    let uuid = open.0["mitid_uuid"].as_str().unwrap();
    let (status, events, printed) = installation.output(&["audit", "export", "--mitid-uuid", "-"], uuid);
    assert_eq!(status, Some(0), "{printed}");
    assert!(events.contains("pin_issued") && events.contains("pin_redeemed"), "{events}");
    assert!(installation.count("audit_events WHERE pseudonym_key_id = 1").await > 0);
    assert!(installation.count("audit_events WHERE pseudonym_key_id = 2").await > 0);
    let (status, printed, _) = installation.output(&["audit", "verify"], "");
    assert_eq!(status, Some(0), "{printed}");
}

/// A key ring with the same ids is still another key ring.
#[tokio::test(flavor = "multi_thread")]
async fn r26_a_foreign_key_ring_does_not_serve_and_is_not_taken_by_a_reload() {
    let (_world, installation) = new_installation().await;
    let process = installation.start().await;
    let own = installation.read("keys.toml");
    let foreign = keys::generate(&mut random::secure());
    // Only the sealing key differs, and is new: `check_can_replace` alone would accept the ring.
    run_keys(&installation, &["add", "--purpose", "sealing"]);
    let with_one = installation.read("keys.toml");
    reload(&[&process], RELOADED).await;
    installation.write("keys.toml", &own);
    run_keys(&installation, &["add", "--purpose", "sealing"]);
    let with_another = installation.read("keys.toml");
    assert_ne!(with_one, with_another);
    let second = {
        installation.write("keys.toml", &own);
        installation.start().await
    };
    installation.write("keys.toml", &with_another);
    reload(&[&second], NOT_RELOADED).await;

    for ring in [foreign.as_str(), &with_another] {
        installation.write("keys.toml", ring);
        let (status, _, stderr) = installation.output(&["serve"], "");
        assert_eq!(status, Some(1), "{stderr}");
        assert!(stderr.contains("the key ring is not that of this database"), "{stderr}");
        let (status, _, stderr) = installation.output(&["audit", "verify"], "");
        assert_eq!(status, Some(1), "not 3, which says that the audit was tampered with: {stderr}");
    }
}
