//! The key ring's file: TOML, a table per purpose, in it `id = "base64 of 32 bytes"` and `active = id`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use zeroize::Zeroizing;

use super::KeyPurpose;

/// Length of every key, in bytes.
pub(super) const KEY_LENGTH: usize = 32;

/// The bytes of a key, which are wiped when they are dropped.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_LENGTH]>;

const HEADER: &str = "\
# Key ring of the temporary-PIN service. Secret: keep it out of the database, its backups and version control.
# `temporary-pin keys add` and `temporary-pin keys activate` write this file anew. How to change keys: docs/keys.md.
";

/// The keys of one purpose; at least one.
pub(super) struct KeySet {
    /// By id.
    pub keys: BTreeMap<i32, KeyBytes>,
    /// Makes what is new. One of `keys`.
    pub active: i32,
}

/// What the file holds, as text, before it is used. Purposes may be missing. Has no `Debug`.
pub struct RingFile(pub(super) BTreeMap<KeyPurpose, KeySet>);

impl RingFile {
    /// New keys, one for each purpose.
    pub fn generate(rng: &mut impl Rng) -> Self {
        let mut file = Self(BTreeMap::new());
        for purpose in KeyPurpose::ALL {
            file.add(purpose, true, rng);
        }
        file
    }

    /// Reads a file.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the key ring {}", path.display()))?;
        Self::parse(&Zeroizing::new(text)).with_context(|| invalid(path))
    }

    /// Reads the file's text. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse().map_err(|error| syntax_error(text, &error))?;
        let mut purposes = BTreeMap::new();
        for (name, value) in table {
            let Some(purpose) = KeyPurpose::from_name(&name) else {
                bail!("{name}: there is no such purpose; there are pseudonym, verifier, sealing and audit");
            };
            let toml::Value::Table(value) = value else { bail!("{purpose}: must be a table with a key") };
            purposes.insert(purpose, key_set(purpose, value)?);
        }
        Ok(Self(purposes))
    }

    /// Adds a key and tells its id. It is active if it is the only one, or if `activate`.
    pub fn add(&mut self, purpose: KeyPurpose, activate: bool, rng: &mut impl Rng) -> i32 {
        let mut key = KeyBytes::default();
        rng.fill_bytes(&mut *key);
        let set = self.0.entry(purpose).or_insert_with(|| KeySet { keys: BTreeMap::new(), active: 1 });
        let id = set.keys.last_key_value().map_or(1, |(highest, _)| highest.saturating_add(1));
        set.keys.insert(id, key);
        if activate {
            set.active = id;
        }
        id
    }

    /// Lets a key make what is new.
    pub fn activate(&mut self, purpose: KeyPurpose, id: i32) -> anyhow::Result<()> {
        let set = self.0.get_mut(&purpose).with_context(|| format!("{purpose}: has no key"))?;
        ensure!(set.keys.contains_key(&id), "{purpose}.{id}: there is no such key");
        set.active = id;
        Ok(())
    }

    /// Each key's purpose, id, and whether it is active.
    pub fn list(&self) -> impl Iterator<Item = (KeyPurpose, i32, bool)> {
        self.0.iter().flat_map(|(purpose, set)| set.keys.keys().map(|id| (*purpose, *id, *id == set.active)))
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Enough for every ring there will be: a text that grows leaves copies behind.
        let keys: usize = self.0.values().map(|set| set.keys.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(HEADER.len() + 64 * self.0.len() + 64 * keys));
        text.push_str(HEADER);
        for (purpose, set) in &self.0 {
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n[{purpose}]\nactive = {}", set.active);
            for (id, key) in &set.keys {
                let _ = writeln!(text, "{id} = \"{}\"", *Zeroizing::new(STANDARD.encode(**key)));
            }
        }
        text
    }

    /// Writes a new file, readable by its owner only; it must not exist.
    pub fn create(&self, path: &Path) -> anyhow::Result<()> {
        write_new(path, &self.to_text()).with_context(|| format!("cannot make {}", path.display()))
    }

    /// Puts the file in the place of the one at `path`, whole or not at all. Comments of the old one are lost.
    pub fn replace(&self, path: &Path) -> anyhow::Result<()> {
        // Where the path is a link, what it leads to is replaced.
        let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        let new = path.with_added_extension("new");
        write_new(&new, &self.to_text()).with_context(|| {
            format!("cannot make {}; if another command that broke off left it, delete it", new.display())
        })?;
        std::fs::rename(&new, &path).with_context(|| format!("cannot replace {}", path.display()))?;
        // So that the new name survives a power cut too.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).context("cannot sync the folder")
    }
}

pub(super) fn invalid(path: &Path) -> String {
    format!("the key ring {} is not valid", path.display())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads the table of one purpose.
fn key_set(purpose: KeyPurpose, mut table: toml::Table) -> anyhow::Result<KeySet> {
    let active = table.remove("active");
    let mut keys = BTreeMap::new();
    for (id, text) in table {
        // Not repeated: somebody may have taken the key for the id.
        let Ok(number) = id.parse() else { bail!("{purpose}: each key id must be a whole number") };
        let text = if let toml::Value::String(text) = text { Zeroizing::new(text) } else { Zeroizing::default() };
        let bytes = Zeroizing::new(STANDARD.decode(&*text).unwrap_or_default());
        let key = <[u8; KEY_LENGTH]>::try_from(bytes.as_slice())
            .map(KeyBytes::new)
            .with_context(|| format!("{purpose}.{id}: must be the base64 of {KEY_LENGTH} bytes"))?;
        ensure!(keys.insert(number, key).is_none(), "{purpose}.{id}: the key id is given twice");
    }
    let Some((highest, _)) = keys.last_key_value() else { bail!("{purpose}: needs at least one key") };
    // Not repeated here either.
    let active = match active {
        None => *highest,
        Some(id) => id
            .as_integer()
            .and_then(|id| i32::try_from(id).ok())
            .filter(|id| keys.contains_key(id))
            .with_context(|| format!("{purpose}.active: must be the id of one of its keys"))?,
    };
    Ok(KeySet { keys, active })
}

/// The parser's own words may quote the line, and with it a key.
fn syntax_error(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    anyhow::anyhow!("line {}: not valid TOML", before.matches('\n').count() + 1)
}
