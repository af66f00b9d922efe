//! `temporary-pin keys`: creates and changes the file of the key ring. Only `generate` without `--out` shows keys.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use temporary_pin::config::{Config, ConfigError};
use temporary_pin::keys::{KeyPurpose, RingFile};
use temporary_pin::random;
use temporary_pin::store::upkeep::rekey::{RekeyedBatch, Rekeying};
use temporary_pin::store::{self, InstanceKeys};

/// Pages of a table that are re-keyed in one transaction: 8 MiB, about ten thousand rows.
const PAGES_PER_BATCH: u32 = 1024;

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key ring.
    Generate {
        /// File to write, readable by its owner only; must not exist. Without it, the key ring goes to stdout.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Add a new key to a key ring. It is not used before it is activated, so that every instance can know it by then.
    Add {
        #[command(flatten)]
        target: Target,
        /// Use it at once: for a single instance, or when the old key has leaked.
        #[arg(long)]
        activate: bool,
    },
    /// Let a key make what is new. What the others have made stays valid.
    Activate {
        #[command(flatten)]
        target: Target,
        /// The key's id.
        #[arg(long)]
        id: i32,
    },
    /// Bring every stored pseudonym under the active pseudonym key, which --config's key ring names. Every instance must be
    /// stopped. If it is interrupted, run it again; no instance serves before it has ended (docs/keys.md).
    RekeyPseudonyms,
    /// Let the database forget a key, so that another key may have its id: after a key was lost, and the one in its place
    /// begins with the same id. --config's postgres.url must be that of the owner of the tables.
    Forget {
        /// What the key was for.
        #[arg(long, value_parser = purpose_parser())]
        purpose: KeyPurpose,
        /// The key's id.
        #[arg(long)]
        id: i32,
    },
    /// List the keys of a key ring: purpose, id, and whether it is active.
    List {
        #[command(flatten)]
        ring: Ring,
    },
}

#[derive(Args)]
pub(crate) struct Ring {
    /// File of the key ring.
    #[arg(long, value_name = "FILE")]
    ring: PathBuf,
}

#[derive(Args)]
pub(crate) struct Target {
    #[command(flatten)]
    ring: Ring,
    /// What the key is for.
    #[arg(long, value_parser = purpose_parser())]
    purpose: KeyPurpose,
}

impl KeysCommand {
    pub(crate) fn run(self, load_config: impl FnOnce() -> Result<Config, ConfigError>) -> anyhow::Result<()> {
        match self {
            Self::RekeyPseudonyms => rekey_pseudonyms(&load_config()?),
            Self::Forget { purpose, id } => forget(&load_config()?, purpose, id),
            Self::Generate { out } => {
                let file = RingFile::generate(&mut random::secure());
                match out {
                    None => std::io::stdout().write_all(file.to_text().as_bytes()).context("cannot write to stdout"),
                    Some(path) => file.create(&path),
                }
            }
            Self::Add { target: Target { ring: Ring { ring }, purpose }, activate } => {
                let mut file = RingFile::load(&ring)?;
                let id = file.add(purpose, activate, &mut random::secure());
                file.replace(&ring)?;
                println!("{}", describe_key(&file, purpose, id));
                Ok(())
            }
            Self::Activate { target: Target { ring: Ring { ring }, purpose }, id } => {
                let mut file = RingFile::load(&ring)?;
                file.activate(purpose, id)?;
                file.replace(&ring)?;
                println!("{}", describe_key(&file, purpose, id));
                Ok(())
            }
            Self::List { ring: Ring { ring } } => {
                let file = RingFile::load(&ring)?;
                file.list().for_each(|(purpose, id, _)| println!("{}", describe_key(&file, purpose, id)));
                Ok(())
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn rekey_pseudonyms(config: &Config) -> anyhow::Result<()> {
    let ring = config.key_ring()?;
    let new_key = ring.pseudonym_key_id();
    let (url, settings) = (config.postgres.url.expose_secret(), &config.postgres.pool);
    // A foreign ring would make pseudonyms that nobody finds again.
    let keys = InstanceKeys::new(new_key, ring.check_values());
    store::compare_keys(&store::connect(url, settings)?, &keys).await?;
    let Some(mut rekeying) = Rekeying::begin(url, settings, new_key, PAGES_PER_BATCH).await? else {
        println!("the pseudonyms are under key {new_key} already");
        return Ok(());
    };
    while let Some(RekeyedBatch { table, rows, percent }) =
        rekeying.next_batch(|from, old| ring.rekey_pseudonym(from, old)).await?
    {
        println!("{table}: {percent} % ({rows} rows)");
    }
    rekeying.finish().await?;
    println!("the pseudonyms are under key {new_key}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn forget(config: &Config, purpose: KeyPurpose, id: i32) -> anyhow::Result<()> {
    let pool = store::connect(config.postgres.url.expose_secret(), &config.postgres.pool)?;
    let is_known = store::forget_key(&pool, purpose.as_str(), id).await?;
    println!("{purpose} {id} {}", if is_known { "forgotten" } else { "was not known" });
    Ok(())
}

/// Such as `verifier 2 active`, or `verifier 1` if the key is not active.
fn describe_key(file: &RingFile, purpose: KeyPurpose, id: i32) -> String {
    let is_active = file.list().any(|key| key == (purpose, id, true));
    format!("{purpose} {id}{}", if is_active { " active" } else { "" })
}

/// Parses a purpose, and lists the valid ones in help and errors.
fn purpose_parser() -> impl clap::builder::TypedValueParser<Value = KeyPurpose> {
    PossibleValuesParser::new(KeyPurpose::ALL.map(KeyPurpose::as_str))
        .try_map(|name| KeyPurpose::from_name(&name).ok_or("no such purpose"))
}
