//! The file of the key ring: TOML with one table per purpose, which contains `id = "base64 of 32 bytes"` and `active = id`.

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

/// The bytes of a key; wiped when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_LENGTH]>;

/// More than the longest line of a table: `id = "base64 of 32 bytes"` has at most 61 bytes.
const MAX_LINE_LENGTH: usize = 64;

/// Lines that a table has beside its keys: a blank line, its name and `active`.
const TABLE_LINES: usize = 3;

const HEADER: &str = "\
# Key ring of the temporary-PIN service. Secret: keep it out of the database, its backups and version control.
# `temporary-pin keys add` and `temporary-pin keys activate` write this file anew. How to change keys: docs/keys.md.
";

/// The keys of one purpose; at least one.
pub(super) struct KeySet {
    pub keys: BTreeMap<i32, KeyBytes>,
    /// The id of the key that makes new values; one of `keys`.
    pub active: i32,
}

/// The contents of the file, as the commands `keys …` edit them. Purposes may be missing. Does not implement `Debug`, so that
/// no key can be logged.
pub struct RingFile(pub(super) BTreeMap<KeyPurpose, KeySet>);

impl RingFile {
    /// A file with one new key for each purpose.
    pub fn generate(rng: &mut impl Rng) -> Self {
        let mut file = Self(BTreeMap::new());
        for purpose in KeyPurpose::ALL {
            file.add(purpose, true, rng);
        }
        file
    }

    /// Reads the file. Errors name the file and the key, never the value of a key.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read the key ring {}", path.display()))?;
        Self::parse(&Zeroizing::new(text)).with_context(|| describe_invalid(path))
    }

    /// Reads the text of a file. Errors name the key, never its value.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse().map_err(|error| describe_syntax_error(text, &error))?;
        let mut purposes = BTreeMap::new();
        for (name, value) in table {
            let Some(purpose) = KeyPurpose::from_name(&name) else {
                bail!("{name}: there is no such purpose; there are pseudonym, verifier, sealing and audit");
            };
            let toml::Value::Table(value) = value else { bail!("{purpose}: must be a table with a key") };
            purposes.insert(purpose, read_key_set(purpose, value)?);
        }
        Ok(Self(purposes))
    }

    /// Adds a new key and returns its id. The key becomes active if `activate` is set or if it is the only one of its purpose.
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

    /// Makes a key the active one of its purpose.
    pub fn activate(&mut self, purpose: KeyPurpose, id: i32) -> anyhow::Result<()> {
        let set = self.0.get_mut(&purpose).with_context(|| format!("{purpose}: has no key"))?;
        ensure!(set.keys.contains_key(&id), "{purpose}.{id}: there is no such key");
        set.active = id;
        Ok(())
    }

    /// The purpose and id of each key, and whether it is active.
    pub fn list(&self) -> impl Iterator<Item = (KeyPurpose, i32, bool)> {
        self.0.iter().flat_map(|(purpose, set)| set.keys.keys().map(|id| (*purpose, *id, *id == set.active)))
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Full capacity from the start: a string that grows is moved, and leaves copies of keys in memory.
        let keys: usize = self.0.values().map(|set| set.keys.len()).sum();
        let mut text =
            Zeroizing::new(String::with_capacity(HEADER.len() + MAX_LINE_LENGTH * (TABLE_LINES * self.0.len() + keys)));
        text.push_str(HEADER);
        for (purpose, set) in &self.0 {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "\n[{purpose}]\nactive = {}", set.active);
            for (id, key) in &set.keys {
                let _ = writeln!(text, "{id} = \"{}\"", *Zeroizing::new(STANDARD.encode(**key)));
            }
        }
        text
    }

    /// Writes a new file that only its owner can read. Fails if the file exists.
    pub fn create(&self, path: &Path) -> anyhow::Result<()> {
        write_new(path, &self.to_text()).with_context(|| format!("cannot make {}", path.display()))
    }

    /// Replaces the file at `path` atomically. Comments in the old file are lost.
    pub fn replace(&self, path: &Path) -> anyhow::Result<()> {
        // If the path is a symbolic link, replace its target.
        let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        let new = path.with_added_extension("new");
        write_new(&new, &self.to_text()).with_context(|| {
            format!("cannot make {}; if another command that broke off left it, delete it", new.display())
        })?;
        std::fs::rename(&new, &path).with_context(|| format!("cannot replace {}", path.display()))?;
        // Sync the folder too, so that the new name survives a power failure.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).context("cannot sync the folder")
    }
}

/// The context of an error in that file.
pub(super) fn describe_invalid(path: &Path) -> String {
    format!("the key ring {} is not valid", path.display())
}

/// Writes a new file that only its owner can read, and waits until it is on disk.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads the table of one purpose.
fn read_key_set(purpose: KeyPurpose, mut table: toml::Table) -> anyhow::Result<KeySet> {
    let active = table.remove("active");
    let mut keys = BTreeMap::new();
    for (id, text) in table {
        // The message does not repeat the id: someone may have written a key in its place.
        let Ok(number) = id.parse() else { bail!("{purpose}: each key id must be a whole number") };
        let text = if let toml::Value::String(text) = text { Zeroizing::new(text) } else { Zeroizing::default() };
        let bytes = Zeroizing::new(STANDARD.decode(&*text).unwrap_or_default());
        let key = <[u8; KEY_LENGTH]>::try_from(bytes.as_slice())
            .map(KeyBytes::new)
            .with_context(|| format!("{purpose}.{id}: must be the base64 of {KEY_LENGTH} bytes"))?;
        ensure!(keys.insert(number, key).is_none(), "{purpose}.{id}: the key id is given twice");
    }
    let Some((highest, _)) = keys.last_key_value() else { bail!("{purpose}: needs at least one key") };
    // The message does not repeat this value either.
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

/// A syntax error by its line number. The message of the parser is left out: it may quote the line, and with it a key.
fn describe_syntax_error(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    anyhow::anyhow!("line {}: not valid TOML", before.matches('\n').count() + 1)
}
