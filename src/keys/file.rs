//! The key ring's file: TOML, one table per purpose, key id to base64 of 32 bytes, and which of them is active.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use zeroize::Zeroizing;

/// Length of every key, in bytes.
pub(super) const KEY_LENGTH: usize = 32;

const HEAD: &str = "\
# Key ring of the temporary-PIN service. Secret: keep it out of the database, its backups and version control.
# docs/keys.md says how keys are changed while the service runs; `temporary-pin keys` does it.
";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Purpose {
    /// Pseudonyms: under which persons, mobile numbers and agents are stored.
    Pseudonym,
    /// Verifiers of PINs.
    Verifier,
    /// Messages and verification ids.
    Sealing,
    /// Seals of the audit.
    Audit,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pseudonym, Self::Verifier, Self::Sealing, Self::Audit];
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pseudonym => "pseudonym",
            Self::Verifier => "verifier",
            Self::Sealing => "sealing",
            Self::Audit => "audit",
        })
    }
}

/// The bytes of a key; wiped when dropped.
type KeyBytes = Zeroizing<[u8; KEY_LENGTH]>;

/// The keys of one purpose: at least one, of which one is active. Has no `Debug`.
pub(super) struct Keys<K> {
    pub(super) by_id: BTreeMap<i32, K>,
    /// The id of the key that makes new values; the others open or check old ones.
    pub(super) active: i32,
}

impl<K> Keys<K> {
    pub(super) fn active(&self) -> &K {
        // Every way to make one sees to it.
        &self.by_id[&self.active]
    }

    pub(super) fn get(&self, id: i32) -> Option<&K> {
        self.by_id.get(&id)
    }
}

/// A key ring as its file holds it: what `temporary-pin keys` changes. Has no `Debug`.
pub struct KeyFile(BTreeMap<Purpose, Keys<KeyBytes>>);

impl KeyFile {
    /// A new key ring with one key for each purpose.
    pub fn generate(rng: &mut impl Rng) -> Self {
        let keys = |purpose| (purpose, Keys { by_id: BTreeMap::from([(1, new_key(rng))]), active: 1 });
        Self(Purpose::ALL.map(keys).into())
    }

    /// Reads the text of a key ring. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut file: toml::Table = text.parse().map_err(|error| syntax_error(text, &error))?;
        let mut ring = BTreeMap::new();
        for purpose in Purpose::ALL {
            if let Some(table) = file.remove(&purpose.to_string()) {
                ring.insert(purpose, keys(purpose, table)?);
            }
        }
        if let Some(purpose) = file.keys().next() {
            bail!("{purpose}: there is no such purpose; there are pseudonym, verifier, sealing and audit");
        }
        Ok(Self(ring))
    }

    /// Adds a new key and answers its id. It is not active, unless it is the first of its purpose.
    pub fn add(&mut self, purpose: Purpose, rng: &mut impl Rng) -> anyhow::Result<i32> {
        let keys = self.0.entry(purpose).or_insert(Keys { by_id: BTreeMap::new(), active: 1 });
        let id = keys.by_id.last_key_value().map_or(Some(1), |(id, _)| id.checked_add(1)).context("no id is left")?;
        keys.by_id.insert(id, new_key(rng));
        Ok(id)
    }

    /// Makes a key that is there the active one.
    pub fn activate(&mut self, purpose: Purpose, id: i32) -> anyhow::Result<()> {
        let keys = self.0.get_mut(&purpose).filter(|keys| keys.by_id.contains_key(&id));
        keys.with_context(|| format!("{purpose}.{id}: there is no such key"))?.active = id;
        Ok(())
    }

    /// Each purpose with the ids of its keys, and the active one.
    pub fn ids(&self) -> impl Iterator<Item = (Purpose, Vec<i32>, i32)> {
        self.0.iter().map(|(purpose, keys)| (*purpose, keys.by_id.keys().copied().collect(), keys.active))
    }

    /// The text that [`Self::parse`] reads. Comments of the text that was parsed are gone.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        // Room for everything: a string that grows leaves its old places as they were.
        let keys: usize = self.0.values().map(|keys| keys.by_id.len() + 1).sum();
        let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + 128 * keys));
        text.push_str(HEAD);
        for (purpose, keys) in &self.0 {
            text.push_str(&format!("\n[{purpose}]\nactive = {}\n", keys.active));
            for (id, key) in &keys.by_id {
                let key = Zeroizing::new(STANDARD.encode(**key));
                text.push_str(&format!("{id} = \""));
                text.push_str(&key);
                text.push_str("\"\n");
            }
        }
        text
    }

    /// The keys of one purpose, each made what it is used as.
    pub(super) fn take<K>(
        &self,
        purpose: Purpose,
        make: impl Fn(&[u8]) -> anyhow::Result<K>,
    ) -> anyhow::Result<Keys<K>> {
        let keys = self.0.get(&purpose).with_context(|| {
            format!("{purpose}: needs at least one key; `temporary-pin keys add --purpose {purpose}` makes one")
        })?;
        let made = keys
            .by_id
            .iter()
            .map(|(id, bytes)| Ok((*id, make(bytes.as_slice()).with_context(|| format!("{purpose}.{id}"))?)));
        Ok(Keys { by_id: made.collect::<anyhow::Result<_>>()?, active: keys.active })
    }
}

fn new_key(rng: &mut impl Rng) -> KeyBytes {
    let mut key = KeyBytes::default();
    rng.fill_bytes(&mut *key);
    key
}

fn keys(purpose: Purpose, table: toml::Value) -> anyhow::Result<Keys<KeyBytes>> {
    let toml::Value::Table(mut table) = table else { bail!("{purpose}: needs at least one key") };
    let active = table.remove("active");
    let mut by_id = BTreeMap::new();
    for (id, text) in table {
        // Not repeated: somebody may have taken the key for the id.
        let Ok(number) = id.parse() else { bail!("{purpose}: each key id must be a whole number") };
        let text = if let toml::Value::String(text) = text { Zeroizing::new(text) } else { Zeroizing::default() };
        let bytes = Zeroizing::new(STANDARD.decode(&*text).unwrap_or_default());
        ensure!(bytes.len() == KEY_LENGTH, "{purpose}.{id}: must be the base64 of {KEY_LENGTH} bytes");
        let mut key = KeyBytes::default();
        key.copy_from_slice(&bytes);
        ensure!(by_id.insert(number, key).is_none(), "{purpose}.{id}: the key id is given twice");
    }
    let Some(highest) = by_id.keys().next_back().copied() else { bail!("{purpose}: needs at least one key") };
    let active = match active {
        None => highest,
        Some(toml::Value::Integer(id)) => i32::try_from(id)
            .ok()
            .filter(|id| by_id.contains_key(id))
            .with_context(|| format!("{purpose}.active: there is no key {id}"))?,
        Some(_) => bail!("{purpose}.active: must be the id of a key, without quotes"),
    };
    Ok(Keys { by_id, active })
}

/// The parser's own words may quote the line, and with it a key.
fn syntax_error(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    anyhow::anyhow!("line {}: not valid TOML", before.matches('\n').count() + 1)
}
