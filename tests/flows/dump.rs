//! Dumps all data that the service stores, as a thief could.

use redis::AsyncCommands as _;
use sqlx::AssertSqlSafe;
use test_support::world::World;

/// All rows of all tables, and all keys of Redis with their values.
pub(crate) async fn dump_all(world: &World) -> String {
    let mut dump = String::new();
    let mut database = world.database().await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut database).await.unwrap();
    for table in tables {
        let rows = AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} AS t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut database).await.unwrap();
        dump.push_str(&format!("{table}\n{}\n", rows.join("\n")));
    }
    let mut redis = world.redis().await;
    for key in world.redis_keys().await {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
        let value = match kind.as_str() {
            "string" => redis.get(&key).await.unwrap(),
            "zset" => redis.zrange::<_, Vec<String>>(&key, 0, -1).await.unwrap().join("\n"),
            "none" => String::new(),
            kind => panic!("{key} is a {kind}"),
        };
        dump.push_str(&format!("{key}\n{value}\n"));
    }
    dump
}
