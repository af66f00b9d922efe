//! `migrate` on a real database.

use sqlx::PgPool;

use crate::{ConfigDirectory, run, stderr, stdout};

#[sqlx::test(migrations = false)]
async fn brings_the_schema_up_to_date_and_may_be_repeated(pool: PgPool) {
    let mut directory = ConfigDirectory::new();
    let mut url = reqwest::Url::parse(&std::env::var("DATABASE_URL").unwrap()).unwrap();
    url.set_path(pool.connect_options().get_database().unwrap());
    directory.set("postgres", &format!("{{ url = '{url}' }}"));
    directory.write();
    for _ in 0..2 {
        let output = run(&["migrate", "--config", &directory.path("temporary-pin.toml")], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stdout(&output), "the schema is up to date\n");
    }
    assert!(temporary_pin::store::schema_is_current(&pool).await.unwrap());
}

#[test]
fn an_unavailable_database_is_not_a_configuration_error() {
    let mut directory = ConfigDirectory::new();
    directory.set("postgres", "{ url = 'postgres://me:hunter2@127.0.0.1:1/nowhere', pool.acquire_timeout = '100ms' }");
    directory.write();
    let output = run(&["migrate", "--config", &directory.path("temporary-pin.toml")], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Postgres is not available"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
}
