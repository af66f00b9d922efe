//! What one sandbox has for itself on the servers it was given: a database, its two roles, a key prefix and a directory. All of it is
//! gone when the sandbox stops.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;
use rand::RngExt as _;
use redis::AsyncCommands as _;
use reqwest::Url;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use temporary_pin::store::rights::substitute_names;
use temporary_pin::{keys, random};

/// The throwaway parts.
pub(crate) struct Scratch {
    server_url: String,
    /// `postgres://…` of the database made for this sandbox, as the owner of its tables.
    pub(crate) owner_url: String,
    /// The same, as the service.
    pub(crate) database_url: String,
    pub(crate) redis_url: String,
    /// The database's name, and what the names of its roles and every Redis key of this sandbox start with.
    pub(crate) name: String,
    directory: PathBuf,
}

impl Scratch {
    /// Makes a database on the server of `database_url`, a key prefix and a directory with a fresh key ring.
    pub(crate) async fn make(database_url: &str, redis_url: &str) -> anyhow::Result<Self> {
        let name = format!("sandbox_{:016x}", random::secure().random::<u64>());
        let mut url =
            Url::parse(database_url).ok().context("DATABASE_URL: must be like postgres://user@host/database")?;
        url.set_path(&name);
        let password = format!("{:032x}", random::secure().random::<u128>());
        let as_role = |role| {
            let mut url = url.clone();
            // A URL of Postgres takes both.
            let _ = (url.set_username(&format!("{name}_{role}")), url.set_password(Some(&password)));
            url.to_string()
        };
        let scratch = Self {
            server_url: database_url.to_owned(),
            owner_url: as_role("owner"),
            database_url: as_role("service"),
            redis_url: redis_url.to_owned(),
            directory: std::env::temp_dir().join(format!("temporary_pin_{name}")),
            name,
        };
        scratch.redis().await?;
        scratch.run_sql(format!("CREATE DATABASE {}", scratch.name)).await?;
        let made = async {
            scratch.make_roles(&password).await?;
            scratch.write_key_ring()
        };
        match made.await {
            Ok(()) => Ok(scratch),
            Err(error) => {
                scratch.clear().await?;
                Err(error)
            }
        }
    }

    /// Where certificates go that nobody wants to keep.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.directory.join("certificates")
    }

    /// The key ring's file.
    pub(crate) fn key_ring(&self) -> PathBuf {
        self.directory.join("keys.toml")
    }

    /// Removes everything. Goes on when one part fails, and tells of the first failure.
    pub(crate) async fn clear(self) -> anyhow::Result<()> {
        let database = self.run_sql(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
        let roles = self.run_sql(format!("DROP ROLE IF EXISTS {0}_owner, {0}_service", self.name)).await;
        let keys = self.delete_keys().await;
        let directory = fs::remove_dir_all(&self.directory).context("cannot remove the sandbox's directory");
        database.and(roles).and(keys).and(directory)
    }

    /// The role that the service connects as.
    pub(crate) fn service_role(&self) -> String {
        format!("{}_service", self.name)
    }

    /// As an operator would, by the file that is made for it.
    async fn make_roles(&self, password: &str) -> anyhow::Result<()> {
        let (owner, service) = (format!("{}_owner", self.name), self.service_role());
        let roles = include_str!("../../postgres/roles.sql");
        let mut sql = substitute_names(roles, &[("database", &self.name), ("owner", &owner), ("service", &service)]);
        for role in [owner, service] {
            sql += &format!("ALTER ROLE {role} PASSWORD '{password}';");
        }
        // In the new database, of which the public schema is.
        let mut url = Url::parse(&self.server_url)?;
        url.set_path(&self.name);
        let mut database = PgConnection::connect(url.as_str()).await.context("cannot connect to the new database")?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut database).await.context("cannot make the roles")?;
        Ok(database.close().await?)
    }

    fn write_key_ring(&self) -> anyhow::Result<()> {
        fs::create_dir(&self.directory).with_context(|| format!("cannot make {}", self.directory.display()))?;
        fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700))?;
        fs::write(self.key_ring(), keys::generate(&mut random::secure()).as_bytes())?;
        fs::set_permissions(self.key_ring(), fs::Permissions::from_mode(0o600))?;
        Ok(())
    }

    async fn run_sql(&self, statement: String) -> anyhow::Result<()> {
        let mut server = PgConnection::connect(&self.server_url).await.context("DATABASE_URL: cannot connect")?;
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut server)
            .await
            .context("cannot make or drop a database or its roles")?;
        Ok(())
    }

    async fn redis(&self) -> anyhow::Result<redis::aio::MultiplexedConnection> {
        let client =
            redis::Client::open(self.redis_url.as_str()).context("REDIS_URL: must be like redis://host:6379")?;
        client.get_multiplexed_async_connection().await.context("REDIS_URL: cannot connect")
    }

    async fn delete_keys(&self) -> anyhow::Result<()> {
        let mut redis = self.redis().await?;
        let mut keys: Vec<String> = Vec::new();
        let mut found = redis.scan_match(format!("{}*", self.name)).await?;
        while let Some(key) = found.next_item().await {
            keys.push(key?);
        }
        drop(found);
        if !keys.is_empty() {
            redis.unlink::<_, ()>(keys).await?;
        }
        Ok(())
    }
}
