//! The audit: a running service seals it, commands verify and export it, and the service's database role cannot change it.

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use test_support::installation::Installation;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};

async fn tamper(installation: &Installation, sql: &'static str) {
    let mut database = PgConnection::connect(&installation.database_url()).await.unwrap();
    sqlx::raw_sql("SET session_replication_role = replica").execute(&mut database).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_verified_and_exported_beside_a_running_service() {
    let mut world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    installation.set("AUDIT__SEAL_INTERVAL", "100ms");
    let process = installation.start().await;
    world.channel = process.connect_as("web");
    let anna = world.person("anna").await;
    world.log_in(&anna).await;
    wait_until("all events are sealed", async || installation.count("audit_seals").await > 0).await;

    let (status, stdout, stderr) = installation.output(&["audit", "verify"], "");
    assert_eq!(status, Some(0), "{stdout} {stderr}");
    assert!(stdout.starts_with("the audit is as it was written\n"), "{stdout}");
    let head = stdout.lines().find_map(|line| line.strip_prefix("head:   ")).unwrap();
    let is_head = |line: &Value| line["seal"] == head;
    wait_until("the head of the seals is logged", async || process.log_lines("audit sealed").iter().any(is_head)).await;
    assert_eq!(installation.output(&["audit", "verify", "--expect-head", head], "").0, Some(0));

    // Either identifier finds all of the person's events, latest first. The export does not name agents and operators.
    for (argument, identifier) in [("--cpr-number", "cpr_number"), ("--mitid-uuid", "mitid_uuid")] {
        let person = anna.0[identifier].as_str().unwrap();
        let (status, stdout, stderr) = installation.output(&["audit", "export", argument, "-"], person);
        assert_eq!(status, Some(0), "{stderr}");
        let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let actions: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
        assert_eq!(actions[0], "audit_events_looked_up");
        assert_eq!(actions[actions.len() - 2..], ["access_requested", "identity_verified"]);
        assert_eq!(lines[0]["reason"], "the person asked for their data");
        assert_eq!(lines.last().unwrap()["channel"], "web");
        let keys = ["time", "action", "purpose", "channel", "reason"];
        let has_known_keys = |line: &Value| line.as_object().unwrap().keys().all(|key| keys.contains(&key.as_str()));
        assert!(lines.iter().all(has_known_keys), "{stdout}");
        assert!(!stdout.contains(person) && !stdout.contains("command line"), "{stdout}");
    }
    assert_eq!(installation.count("audit_operators WHERE operator = 'command line'").await, 2);

    tamper(&installation, "UPDATE audit_events SET channel = 'phone' WHERE id = 1").await;
    let (status, stdout, stderr) = installation.output(&["audit", "verify"], "");
    assert_eq!((status, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("audit_events: the row of event 1 was altered"), "{stderr}");
    let (status, ..) = installation.output(&["audit", "verify", "--expect-head", "1000:aGVhZA=="], "");
    assert_eq!(status, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_role_that_could_change_the_audit_does_not_serve() {
    let world = World::with_sandbox(Sandbox::start(&[])).await;
    let mut installation = Installation::new(&world.sandbox).await;
    let owner = installation.url_as_owner();
    installation.set("POSTGRES__URL", owner);
    let (status, _, stderr) = installation.output(&["serve"], "");
    assert_eq!(status, Some(1), "{stderr}");
    assert!(
        stderr.contains("postgres.url: its role must not be able to change the audit, but it owns audit_events"),
        "{stderr}"
    );
    installation.set("POSTGRES__ROLE_CHECK", "warn");
    let process = installation.start().await;
    assert_eq!(process.wait_until_logged("the role of postgres.url can change the audit").await.len(), 1);
}
