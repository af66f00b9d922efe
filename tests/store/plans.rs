//! The plans of the service's statements: each finds its rows by an index, whatever the size of the tables.
//!
//! The statements are those that the build checked (`.sqlx`), so a new one is tested without being named here. Each is planned
//! on a connection of the service's own pool, because its settings decide the plan.

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

/// The beginning of each statement that may scan a growing table, and why it may.
const EXCEPTIONS: [(&str, &str); 1] = [("WITH lost AS (", "reads outbox_due, which contains queued messages only")];

/// A statement of the service.
struct Statement {
    sql: String,
    parameters: usize,
}

/// A plan that is made now is kept while the tables grow.
#[sqlx::test]
async fn every_statement_reaches_large_tables_by_an_index_while_they_are_empty(pool: PgPool) {
    assert_by_index(&pool, "empty").await;
    // Now Postgres takes the tables for empty. Before, it assumed ten pages.
    run(&pool, "VACUUM ANALYZE").await;
    assert_by_index(&pool, "empty and vacuumed").await;
}

/// Statistics are taken at any time of the day, and kept for hours: no plan may rest on them.
#[sqlx::test]
async fn every_statement_reaches_large_tables_by_an_index_in_every_state_of_a_day(pool: PgPool) {
    fill(&mut pool.acquire().await.unwrap(), 100_000, 10_000).await;
    assert_by_index(&pool, "filled, not analysed").await;
    run(&pool, "ANALYZE").await;
    assert_by_index(&pool, "filled").await;
    run(&pool, AT_PEAK).await;
    assert_by_index(&pool, "at peak").await;
    run(&pool, AT_REST).await;
    assert_by_index(&pool, "at rest").await;
    run(&pool, AFTER_A_PURGE).await;
    assert_by_index(&pool, "after a purge").await;
}

/// Every person has an open PIN, and its SMS waits.
const AT_PEAK: &str = "
    UPDATE pin_requests SET state = 'expired' WHERE state = 'open';
    UPDATE pin_requests SET state = 'open', create_time = '2026-11-24', expire_time = '2026-11-24 00:10'
        WHERE id IN (SELECT DISTINCT ON (person_key) id FROM pin_requests ORDER BY person_key, create_time DESC);
    UPDATE outbox SET state = 'queued', sealed_body = 'x' WHERE id IN (SELECT message_id FROM pin_requests WHERE state = 'open');
    ANALYZE";

/// Nothing is open, no hold runs, and no message has a body.
const AT_REST: &str = "
    UPDATE pin_requests SET state = 'expired' WHERE state = 'open';
    UPDATE access_requests SET state = 'expired' WHERE state = 'open';
    UPDATE outbox SET state = 'accepted', sealed_body = NULL;
    ANALYZE";

/// The tables are almost empty, and the indexes still large.
const AFTER_A_PURGE: &str = "
    DELETE FROM pin_requests WHERE create_time < '2026-11-23';
    DELETE FROM access_requests WHERE request_time < '2026-11-23';
    DELETE FROM verifications WHERE create_time < '2026-11-23';
    DELETE FROM requests;
    DELETE FROM outbox WHERE create_time < '2026-11-23';
    ANALYZE";

async fn run(pool: &PgPool, script: &'static str) {
    sqlx::raw_sql(script).execute(pool).await.unwrap();
}

/// A function that Postgres does not inline is planned and run apart from the statement, which is much slower.
#[sqlx::test]
async fn the_shared_functions_are_inlined(pool: PgPool) {
    const FUNCTIONS: [&str; 7] = [
        "failed_verifications_in_window(",
        "unsuccessful_questions_in_window(",
        "person_pins_in_window(",
        "mobile_pins_in_window(",
        "wrong_tries_in_window(",
        "next_send_time(",
        "withdrawn_message(",
    ];
    let mut connection = service_pool(&pool).acquire().await.unwrap();
    let statements = statements();
    for function in FUNCTIONS {
        assert!(statements.iter().any(|statement| statement.sql.contains(function)), "no statement uses {function}");
    }
    for statement in statements {
        let plan = plan(&mut connection, &statement).await.to_string();
        let called: Vec<_> = FUNCTIONS.iter().filter(|function| plan.contains(**function)).collect();
        assert!(called.is_empty(), "{called:?} in {}", statement.sql);
    }
}

async fn assert_by_index(pool: &PgPool, state: &str) {
    let mut connection = service_pool(pool).acquire().await.unwrap();
    // Otherwise Postgres would plan for the parameters below, which are null.
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
        assert!(
            scans.keys().any(|sql| sql.starts_with(beginning)),
            "{state}: needs no exception any more: {beginning} ({reason})"
        );
    }
    scans.retain(|sql, _| !EXCEPTIONS.iter().any(|(beginning, _)| sql.starts_with(beginning)));
    let scans: Vec<_> = scans.iter().map(|(sql, found)| (sql.chars().take(150).collect::<String>(), found)).collect();
    assert!(scans.is_empty(), "{state}: {scans:#?}");
}

/// A pool of the service for the same database.
fn service_pool(pool: &PgPool) -> PgPool {
    let url = pool.connect_options().to_url_lossy();
    temporary_pin::store::connect(url.as_str(), &PoolSettings::default()).unwrap()
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
    // Tables that are still small after that.
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
            FROM generate_series(1, {requests}) AS n"
    );
    sqlx::raw_sql(AssertSqlSafe(more)).execute(connection).await.unwrap();
}

/// All statements that the build checked.
fn statements() -> Vec<Statement> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx")).unwrap();
    let statements: Vec<Statement> = files
        .map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap())
        .map(|file: Value| Statement {
            sql: file["query"].as_str().unwrap().trim().to_owned(),
            parameters: file["describe"]["parameters"]["Left"].as_array().unwrap().len(),
        })
        .collect();
    assert!(statements.iter().any(|statement| statement.sql.starts_with("-- Issues a PIN")));
    statements
}

async fn plan(connection: &mut PgConnection, Statement { sql, parameters }: &Statement) -> Value {
    let arguments = vec!["NULL"; *parameters].join(", ");
    let execute = if arguments.is_empty() { "statement".to_owned() } else { format!("statement ({arguments})") };
    let prepare = format!("PREPARE statement AS {sql}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
    let explain = format!("EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE {execute}");
    let plan = sqlx::query_scalar(AssertSqlSafe(explain)).persistent(false).fetch_one(&mut *connection).await.unwrap();
    sqlx::raw_sql("DEALLOCATE statement").execute(connection).await.unwrap();
    plan
}

/// The steps of a plan that read a growing table, or much of it, without a suitable index: kind of step, index and table.
/// `leading` has the first column of each index. `is_limited`: the step above stops after a few rows.
fn scans_of(plan: &Value, leading: &BTreeMap<String, String>, is_limited: bool) -> Vec<String> {
    match plan {
        Value::Array(steps) => steps.iter().flat_map(|step| scans_of(step, leading, is_limited)).collect(),
        Value::Object(step) => {
            let text = |name| step.get(name).and_then(Value::as_str).unwrap_or_default();
            let (kind, table, index) = (text("Node Type"), text("Relation Name"), text("Index Name"));
            // An index without a condition on its first column is read from end to end.
            let has_condition = leading.get(index).is_some_and(|column| text("Index Cond").contains(column));
            // Unless only its first entries are needed.
            let is_first = is_limited && text("Parent Relationship") == "Outer";
            let takes_first = is_first && !step.contains_key("Filter");
            let has_index = match kind {
                "Index Scan" | "Index Only Scan" => !GROWING.contains(&table) || has_condition || takes_first,
                "Bitmap Index Scan" => has_condition,
                // Reads rows whose places an index scan below it has found.
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
