//! The rights of the service's role. For a new table or function, decide here what the service needs.

use rand::RngExt as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use temporary_pin::random;
use temporary_pin::store::StoreError;
use temporary_pin::store::rights::{find_excess, grant};
use test_support::store::*;

/// Every table, sequence and function of the schema, with the verbs of the role.
const RIGHTS: &[&str] = &[
    "_sqlx_migrations: SELECT",
    "access_requests: SELECT INSERT UPDATE(state, close_time) DELETE",
    "audit_agents: SELECT INSERT",
    "audit_events: SELECT INSERT(event_time, person_key, action, channel, caller, reason, verification_id, \
        access_request_id, pin_request_id, purpose, pseudonym_key_id)",
    "audit_events_id_seq: SELECT",
    "audit_operators: SELECT INSERT",
    "audit_retention: SELECT",
    "audit_seals: SELECT INSERT",
    "block_lock: EXECUTE",
    "failed_verifications_in_window: EXECUTE",
    "key_check_values: SELECT INSERT",
    "limit_resets: SELECT INSERT UPDATE(reset_time) DELETE",
    "mobile_pins_in_window: EXECUTE",
    "next_send_time: EXECUTE",
    "outbox: SELECT INSERT UPDATE(state, sealed_body, sends, last_send, attempts, next_attempt_time, lease_token, \
        lease_expire_time, handover_time, gateway_reference, last_error, unknown_outcomes, gateway) DELETE",
    "person_blocks: SELECT INSERT DELETE",
    "person_pins_in_window: EXECUTE",
    "pin_requests: SELECT INSERT UPDATE(state, tries, sends, last_send_time, close_time, revoke_reason) DELETE",
    "pseudonym_keys: SELECT",
    "purge_audit: EXECUTE",
    "refuse_blocked:",
    "refuse_change:",
    "requests: SELECT INSERT UPDATE(response, is_right) DELETE",
    "tell_version_0_1_0:",
    "unsuccessful_questions_in_window: EXECUTE",
    "verifications: SELECT INSERT UPDATE(state, reason, assurance_level, question_kinds, answer_rounds, right_answers, \
        pin_request_id) DELETE",
    "withdrawn_message: EXECUTE",
    "wrong_tries_in_window: EXECUTE",
];

/// A role for one test (roles belong to the whole server), and a pool that uses it.
struct Role {
    name: String,
    pool: PgPool,
}

impl Role {
    async fn create(pool: &PgPool) -> Self {
        let name = format!("service_{:016x}", random::secure().random::<u64>());
        run(pool, format!("CREATE ROLE {name:?}")).await;
        let set_role = format!("SET ROLE {name:?}");
        let role = PgPoolOptions::new()
            .max_connections(2)
            .after_connect(move |connection, _| {
                let set_role = set_role.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(set_role)).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        Self { name, pool: role }
    }

    async fn drop(self, pool: &PgPool) {
        self.pool.close().await;
        run(pool, format!("DROP OWNED BY {0:?}; DROP ROLE {0:?}", self.name)).await;
    }
}

async fn run(pool: &PgPool, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

async fn rights(pool: &PgPool, role: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT line FROM (SELECT relname || ':' || concat(
            (SELECT string_agg(' ' || CASE
                WHEN has_table_privilege($1, c.oid, verb) THEN verb
                WHEN verb IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN verb || '(' || (
                    SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = c.oid AND attnum > 0 AND has_column_privilege($1, c.oid, attnum, verb)
                ) || ')'
            END, '' ORDER BY place)
            FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
                WITH ORDINALITY AS verbs (verb, place) WHERE relkind <> 'S'),
            (SELECT string_agg(' ' || verb, '' ORDER BY place)
            FROM unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) WITH ORDINALITY AS verbs (verb, place)
            WHERE relkind = 'S' AND has_sequence_privilege($1, c.oid, verb))
        )
        FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT proname || ':' || CASE WHEN has_function_privilege($1, oid, 'EXECUTE') THEN ' EXECUTE' ELSE '' END
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS rights (line) ORDER BY line COLLATE \"C\"",
    )
    .bind(role)
    .fetch_all(pool)
    .await
    .unwrap()
}

#[sqlx::test]
async fn the_rights_are_exactly_these(pool: PgPool) {
    let role = Role::create(&pool).await;
    // Excess rights are revoked, whether the role or PUBLIC has them.
    run(&pool, format!("GRANT ALL ON audit_events TO PUBLIC; GRANT UPDATE (mac) ON audit_seals TO {:?}", role.name))
        .await;
    for _ in 0..2 {
        grant(&pool, &role.name).await.unwrap();
        assert_eq!(rights(&pool, &role.name).await, RIGHTS);
    }
    let create = "SELECT has_schema_privilege($1, 'public', 'CREATE')";
    assert!(!sqlx::query_scalar::<_, bool>(create).bind(&role.name).fetch_one(&pool).await.unwrap());
    role.drop(&pool).await;
}

#[sqlx::test]
async fn concurrent_grants_succeed(pool: PgPool) {
    let role = Role::create(&pool).await;
    let granted = run_concurrently(8, |_| {
        let (pool, name) = (pool.clone(), role.name.clone());
        async move { grant(&pool, &name).await }
    });
    assert_eq!(granted.await, [const { Ok(()) }; 8]);
    role.drop(&pool).await;
}

#[sqlx::test]
async fn the_role_cannot_change_audit_rows(pool: PgPool) {
    let role = Role::create(&pool).await;
    grant(&pool, &role.name).await.unwrap();
    issued(&role.pool, PERSON, t0()).await;
    let before = dump_tables(&pool).await;
    for table in ["audit_events", "audit_agents", "audit_operators", "audit_seals", "audit_retention"] {
        let column = one_column(&pool, table).await;
        for change in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table} CASCADE"),
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(change.clone())).execute(&role.pool).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
            assert_eq!(code.as_deref(), Some("42501"), "{change}: {refused}");
        }
    }
    assert_eq!(dump_tables(&pool).await, before);
    role.drop(&pool).await;
}

async fn one_column(pool: &PgPool, table: &str) -> String {
    let column = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 2";
    sqlx::query_scalar(column).bind(table).fetch_one(pool).await.unwrap()
}

#[sqlx::test]
async fn excess_rights_are_listed(pool: PgPool) {
    let role = Role::create(&pool).await;
    grant(&pool, &role.name).await.unwrap();
    assert!(find_excess(&role.pool).await.unwrap().is_empty());
    run(
        &pool,
        format!("GRANT UPDATE (reason) ON audit_events TO {0:?}; GRANT DELETE ON audit_seals TO {0:?}", role.name),
    )
    .await;
    assert_eq!(find_excess(&role.pool).await.unwrap(), ["may UPDATE in audit_events", "may DELETE in audit_seals"]);
    assert!(find_excess(&pool).await.unwrap().contains(&"is a superuser".to_owned()));
    role.drop(&pool).await;
}

#[sqlx::test]
async fn rights_are_not_granted_to_the_owner_or_to_an_unknown_role(pool: PgPool) {
    for (name, problem) in [("postgres", "both"), ("nobody \" here", "does not exist")] {
        let Err(error @ StoreError::Internal(_)) = grant(&pool, name).await else { panic!("granted to {name}") };
        let text = error.to_string();
        assert!(text.contains(problem), "{text}");
    }
}
