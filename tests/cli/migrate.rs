//! `migrate`, on a real database.

use sqlx::PgPool;

use crate::{World, run, stderr, stdout};

#[sqlx::test(migrations = false)]
async fn brings_the_schema_up_to_date_and_may_be_repeated(pool: PgPool) {
    let mut world = World::new();
    let mut url = reqwest::Url::parse(&std::env::var("DATABASE_URL").unwrap()).unwrap();
    url.set_path(pool.connect_options().get_database().unwrap());
    world.set("postgres", &format!("{{ url = '{url}' }}"));
    world.write();
    for _ in 0..2 {
        let output = run(&["migrate", "--config", &world.path("temporary-pin.toml")], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stdout(&output), "the schema is up to date\n");
    }
    assert!(temporary_pin::store::schema_is_current(&pool).await.unwrap());
}

#[test]
fn a_database_that_is_down_is_no_configuration_error() {
    let mut world = World::new();
    world.set("postgres", "{ url = 'postgres://me:hunter2@127.0.0.1:1/nowhere', pool.acquire_timeout = '100ms' }");
    world.write();
    let output = run(&["migrate", "--config", &world.path("temporary-pin.toml")], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Postgres is not available"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("hunter2"), "{}", stderr(&output));
}
