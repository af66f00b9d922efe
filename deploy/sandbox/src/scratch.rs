//! The private resources of one sandbox: a database with its roles, a prefix of Redis keys, and a directory. They are removed
//! when the sandbox stops.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use made_up_world::database::{ScratchDatabase, connect_redis, delete_redis_keys};
use rand::RngExt as _;
use temporary_pin::{keys, random};

pub(crate) struct Scratch {
    pub(crate) database: ScratchDatabase,
    pub(crate) redis_url: String,
    directory: PathBuf,
}

impl Scratch {
    /// Makes the database on these servers, and the directory with a new key ring.
    pub(crate) async fn create(database_url: &str, redis_url: &str) -> anyhow::Result<Self> {
        let name = format!("sandbox_{:016x}", random::secure().random::<u64>());
        let password = format!("{:032x}", random::secure().random::<u128>());
        connect_redis(redis_url).await?;
        let directory = std::env::temp_dir().join(format!("temporary_pin_{name}"));
        let database = ScratchDatabase::create(database_url, &name, &password).await?;
        if let Err(error) = write_key_ring(&directory) {
            database.drop().await?;
            return Err(error);
        }
        Ok(Self { database, redis_url: redis_url.to_owned(), directory })
    }

    /// The name of the database, and the prefix of the Redis keys.
    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// The directory of the certificates, if the command line names none.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.directory.join("certificates")
    }

    pub(crate) fn key_ring(&self) -> PathBuf {
        key_ring_in(&self.directory)
    }

    /// Removes the database, the Redis keys and the directory. Continues after a failure, and returns the first failure.
    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        let database = self.database.drop().await;
        let keys = delete_redis_keys(&self.redis_url, self.name()).await;
        let directory = fs::remove_dir_all(&self.directory).context("cannot remove the sandbox's directory");
        database.and(keys).and(directory)
    }
}

fn write_key_ring(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    let file = key_ring_in(directory);
    fs::write(&file, keys::generate(&mut random::secure()).as_bytes())?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

fn key_ring_in(directory: &Path) -> PathBuf {
    directory.join("keys.toml")
}
