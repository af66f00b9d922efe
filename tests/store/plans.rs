//! How Postgres runs the service's statements: by an index that leads to their rows, whatever the tables' size.
//!
//! The statements are those that the build checked (`.sqlx`), so a new one is looked at without being named here. Each is
//! planned on a connection of the service's own pool, whose settings decide plans.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, PgPool};
use temporary_pin::store::PoolSettings;

/// Tables that grow as long as the service is used.
const GROWING: [&str; 9] = [
    "verifications",
    "access_requests",
    "pin_requests",
    "requests",
    "outbox",
    "audit_events",
    "audit_agents",
    "audit_operators",
    "audit_seals",
];

/// How the statements that need no index of their own begin, and why they need none.
const EXCEPTIONS: [(&str, &str); 1] =
    [("UPDATE outbox SET last_error = 'outcome unknown'", "reads outbox_due, which has what waits to be sent alone")];

/// A statement of the service.
struct Statement {
    sql: String,
    parameters: usize,
}

#[sqlx::test]
async fn every_statement_reaches_large_tables_by_an_index(pool: PgPool) {
    fill(&mut pool.acquire().await.unwrap(), 100_000, 10_000).await;
    assert_by_index(&pool).await;
}

/// A plan that is made now is kept while the tables grow.
#[sqlx::test]
async fn every_statement_would_do_so_while_the_tables_are_empty(pool: PgPool) {
    assert_by_index(&pool).await;
}

async fn assert_by_index(pool: &PgPool) {
    let url = pool.connect_options().to_url_lossy();
    let service = temporary_pin::store::connect(url.as_str(), &PoolSettings::default()).unwrap();
    let mut connection = service.acquire().await.unwrap();
    // Else a plan would be for the parameters that are given below, which are null.
    let mode: String = sqlx::query_scalar("SHOW plan_cache_mode").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(mode, "force_generic_plan");
    let leading = "SELECT relname::text, pg_get_indexdef(indexrelid, 1, true)
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid";
    let leading: Vec<(String, String)> = sqlx::query_as(leading).fetch_all(&mut *connection).await.unwrap();
    let leading = leading.into_iter().collect();

    let mut scans = BTreeMap::new();
    for statement in statements() {
        let found = scans_of(&plan(&mut connection, &statement).await, &leading, false);
        if !found.is_empty() {
            scans.insert(statement.sql, found);
        }
    }
    for (beginning, reason) in EXCEPTIONS {
        assert!(scans.keys().any(|sql| sql.starts_with(beginning)), "is no exception: {beginning} ({reason})");
    }
    scans.retain(|sql, _| !EXCEPTIONS.iter().any(|(beginning, _)| sql.starts_with(beginning)));
    let scans: Vec<_> = scans.iter().map(|(sql, found)| (sql.chars().take(150).collect::<String>(), found)).collect();
    assert!(scans.is_empty(), "{scans:#?}");
}

async fn fill(connection: &mut PgConnection, requests: u32, people: u32) {
    let settings = format!(
        "SET growth.requests = {requests}; SET growth.people = {people}; SET growth.until = '2026-11-24';
        CREATE TABLE growth_people (number bigint PRIMARY KEY, person_key bytea NOT NULL, mobile_key bytea NOT NULL);
        INSERT INTO growth_people
            SELECT n, sha256(int8send(n)), sha256(int8send(-1 - n)) FROM generate_series(0, {people} - 1) AS n;
        ANALYZE growth_people"
    );
    sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql(include_str!("../load/src/bench/growth.sql")).execute(&mut *connection).await.unwrap();
    // Tables of which that leaves little, made large too.
    let more = format!(
        "INSERT INTO requests (caller, method, request_id, payload_digest, response, create_time)
            SELECT 'load_web', 'IssueTemporaryPin', gen_random_uuid(), sha256('x'), '{{}}', '2026-11-24'
            FROM generate_series(1, {requests});
        INSERT INTO outbox (id, person_key, kind, state, sealed_body, next_attempt_time, expire_time, create_time)
            SELECT gen_random_uuid(), sha256('x'), 'hold_passed', 'queued', 'x', '2026-11-25', '2026-11-26', '2026-11-24'
            FROM generate_series(1, {requests} / 10);
        INSERT INTO audit_operators SELECT id, 'olga' FROM audit_events;
        INSERT INTO audit_seals (
                number, version, seal_time, after_event_id, last_event_id, event_count, entries, entries_digest,
                previous_mac, key_id, mac
            )
            SELECT n, 1, '2026-11-24', n, n, 0, 'x', sha256('x'), sha256('x'), 1, sha256('x')
            FROM generate_series(1, {requests}) AS n;
        ANALYZE"
    );
    sqlx::raw_sql(AssertSqlSafe(more)).execute(connection).await.unwrap();
}

/// All statements that the build has checked.
fn statements() -> Vec<Statement> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx")).unwrap();
    let statements: Vec<Statement> = files
        .map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap())
        .map(|file: Value| Statement {
            sql: file["query"].as_str().unwrap().trim().to_owned(),
            parameters: file["describe"]["parameters"]["Left"].as_array().unwrap().len(),
        })
        .collect();
    assert!(statements.iter().any(|statement| statement.sql.starts_with("-- The issue transaction")));
    statements
}

async fn plan(connection: &mut PgConnection, Statement { sql, parameters }: &Statement) -> Value {
    let arguments = vec!["NULL"; *parameters].join(", ");
    let execute = if arguments.is_empty() { "statement".to_owned() } else { format!("statement ({arguments})") };
    let prepare = format!("PREPARE statement AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE {execute}");
    let plan = sqlx::query_scalar(AssertSqlSafe(explain)).persistent(false).fetch_one(&mut *connection).await.unwrap();
    sqlx::raw_sql("DEALLOCATE statement").execute(connection).await.unwrap();
    plan
}

/// The steps of a plan that read a growing table, or much of it, without an index that serves them: how, and which.
/// `leading` has each index's first column.
fn scans_of(plan: &Value, leading: &BTreeMap<String, String>, is_limited: bool) -> Vec<String> {
    match plan {
        Value::Array(steps) => steps.iter().flat_map(|step| scans_of(step, leading, is_limited)).collect(),
        Value::Object(step) => {
            let text = |name| step.get(name).and_then(Value::as_str).unwrap_or_default();
            let (kind, table, index) = (text("Node Type"), text("Relation Name"), text("Index Name"));
            // Without a condition on its first column an index is read from end to end as well.
            let has_condition = leading.get(index).is_some_and(|column| text("Index Cond").contains(column));
            // Unless its first entries are what is wanted.
            let is_first = is_limited && text("Parent Relationship") == "Outer";
            let takes_first = is_first && !step.contains_key("Filter");
            let has_index = match kind {
                "Index Scan" | "Index Only Scan" => !GROWING.contains(&table) || has_condition || takes_first,
                "Bitmap Index Scan" => has_condition,
                // At places that an index below it has named.
                "Bitmap Heap Scan" | "Tid Scan" => true,
                _ => !(kind.ends_with("Scan") && GROWING.contains(&table)),
            };
            let own = (!has_index).then(|| format!("{kind} {index} {table}"));
            let is_limited = kind == "Limit" || (kind == "Nested Loop" && is_limited);
            own.into_iter().chain(step.values().flat_map(|part| scans_of(part, leading, is_limited))).collect()
        }
        _ => Vec::new(),
    }
}
