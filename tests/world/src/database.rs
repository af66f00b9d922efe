//! Databases, roles and Redis keys that are removed after use.

use anyhow::Context as _;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::store::rights::substitute_names;

/// A database with two roles of its own, made as an operator would: the owner of the tables, and the service.
pub struct ScratchDatabase {
    server_url: String,
    /// The database's name, which the names of its roles begin with.
    name: String,
    password: String,
}

impl ScratchDatabase {
    /// Makes the database and its roles on the server of `server_url`, which names a superuser.
    pub async fn create(server_url: &str, name: &str, password: &str) -> anyhow::Result<Self> {
        let [server_url, name, password] = [server_url, name, password].map(str::to_owned);
        let database = Self { server_url, name, password };
        run_sql(&database.server_url, format!("CREATE DATABASE {}", database.name)).await?;
        if let Err(error) = database.create_roles().await {
            database.drop().await?;
            return Err(error);
        }
        Ok(database)
    }

    /// Removes the database and its roles. Tries both, and reports the first failure.
    pub async fn drop(&self) -> anyhow::Result<()> {
        let name = &self.name;
        let database = run_sql(&self.server_url, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        let roles = run_sql(&self.server_url, format!("DROP ROLE IF EXISTS {name}_owner, {name}_service")).await;
        database.and(roles)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role that the service connects as.
    #[must_use]
    pub fn service_role(&self) -> String {
        format!("{}_service", self.name)
    }

    /// The database's URL as the superuser.
    pub fn url(&self) -> anyhow::Result<Url> {
        url_of(&self.server_url, &self.name)
    }

    /// The database's URL as the owner of the tables.
    pub fn owner_url(&self) -> anyhow::Result<String> {
        self.url_as(&self.owner_role())
    }

    /// The database's URL as the service.
    pub fn service_url(&self) -> anyhow::Result<String> {
        self.url_as(&self.service_role())
    }

    fn owner_role(&self) -> String {
        format!("{}_owner", self.name)
    }

    fn url_as(&self, role: &str) -> anyhow::Result<String> {
        let mut url = self.url()?;
        let is_set = url.set_username(role).and_then(|()| url.set_password(Some(&self.password)));
        is_set.ok().context("DATABASE_URL: has no place for a user and a password")?;
        Ok(url.into())
    }

    /// Runs the file that operators run.
    async fn create_roles(&self) -> anyhow::Result<()> {
        let (owner, service) = (self.owner_role(), self.service_role());
        let roles = include_str!("../../../deploy/postgres/roles.sql");
        let mut sql = substitute_names(roles, &[("database", &self.name), ("owner", &owner), ("service", &service)]);
        for role in [owner, service] {
            sql += &format!("ALTER ROLE {role} PASSWORD '{}';", self.password);
        }
        // In the new database, because the file changes rights of its public schema.
        run_sql(self.url()?.as_str(), sql).await
    }
}

/// The URL of another database on the server of `server_url`.
pub fn url_of(server_url: &str, database: &str) -> anyhow::Result<Url> {
    let mut url = Url::parse(server_url).ok().context("DATABASE_URL: must be like postgres://user@host/database")?;
    url.set_path(database);
    Ok(url)
}

/// Runs statements in a connection of its own.
pub async fn run_sql(url: &str, statements: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await.context("DATABASE_URL: cannot connect")?;
    let outcome = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await;
    outcome.context("cannot make or drop a database or its roles")?;
    Ok(connection.close().await?)
}

pub async fn connect_redis(url: &str) -> anyhow::Result<MultiplexedConnection> {
    let client = redis::Client::open(url).context("REDIS_URL: must be like redis://host:6379")?;
    client.get_multiplexed_async_connection().await.context("REDIS_URL: cannot connect")
}

/// The keys that begin with `prefix`.
pub async fn find_redis_keys(redis: &mut MultiplexedConnection, prefix: &str) -> anyhow::Result<Vec<String>> {
    let mut found = redis.scan_match(format!("{prefix}*")).await?;
    let mut keys = Vec::new();
    while let Some(key) = found.next_item().await {
        keys.push(key?);
    }
    Ok(keys)
}

/// Deletes the keys that begin with `prefix`.
pub async fn delete_redis_keys(url: &str, prefix: &str) -> anyhow::Result<()> {
    let mut redis = connect_redis(url).await?;
    let keys = find_redis_keys(&mut redis, prefix).await?;
    if !keys.is_empty() {
        redis.unlink::<_, ()>(keys).await?;
    }
    Ok(())
}
