//! `temporary-pin keys`: makes and changes the file of the key ring. Never shows a key, unless asked for a whole new ring.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use temporary_pin::keys::{KeyFile, KeyRing, Purpose};
use temporary_pin::random;
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new key ring.
    Generate {
        /// File to write, readable by its owner only; must not exist. Without it, the key ring goes to stdout.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the ids of the keys, and which are active.
    List {
        /// The file of the key ring.
        #[arg(long, value_name = "FILE")]
        ring: PathBuf,
    },
    /// Add a new key. Until it is activated it only opens and checks what others made with it.
    Add {
        /// The file of the key ring; it is replaced in one step.
        #[arg(long, value_name = "FILE")]
        ring: PathBuf,
        /// What the key is for.
        #[arg(long)]
        purpose: Purpose,
    },
    /// Make a key the one that is used for what is new. First see to it that every instance knows it.
    Activate {
        /// The file of the key ring; it is replaced in one step.
        #[arg(long, value_name = "FILE")]
        ring: PathBuf,
        /// What the key is for.
        #[arg(long)]
        purpose: Purpose,
        /// The key's id.
        #[arg(long)]
        id: i32,
    },
}

pub(crate) fn run(command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Generate { out: None } => {
            let ring = KeyFile::generate(&mut random::secure()).text();
            std::io::stdout().write_all(ring.as_bytes()).context("cannot write to stdout")
        }
        KeysCommand::Generate { out: Some(path) } => make(path, &KeyFile::generate(&mut random::secure()))
            .with_context(|| format!("cannot make {}", path.display())),
        KeysCommand::List { ring } => {
            for (purpose, ids, active) in read(ring)?.ids() {
                let ids = ids.iter().map(|id| if *id == active { format!("{id} (active)") } else { id.to_string() });
                println!("{purpose}: {}", ids.collect::<Vec<_>>().join(", "));
            }
            Ok(())
        }
        KeysCommand::Add { ring, purpose } => {
            let mut file = read(ring)?;
            let id = file.add(*purpose, &mut random::secure())?;
            replace(ring, &file)?;
            println!("{purpose}.{id} is added");
            Ok(())
        }
        KeysCommand::Activate { ring, purpose, id } => {
            let mut file = read(ring)?;
            file.activate(*purpose, *id)?;
            replace(ring, &file)?;
            println!("{purpose}.{id} is active");
            Ok(())
        }
    }
}

fn read(path: &Path) -> anyhow::Result<KeyFile> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read the key ring {}", path.display()))?;
    KeyFile::parse(&text).with_context(|| format!("the key ring {} is not valid", path.display()))
}

/// Writes a file that is not there yet, for its owner only.
fn make(path: &Path, ring: &KeyFile) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(ring.text().as_bytes())?;
    file.sync_all()
}

/// Puts the new text in the place of the old: whoever reads the file sees the one or the other, whole.
fn replace(path: &Path, ring: &KeyFile) -> anyhow::Result<()> {
    KeyRing::parse(&ring.text()).context("the changed key ring would not be valid")?;
    let new = path.with_extension("new");
    let replaced = make(&new, ring).and_then(|()| {
        let owner = std::fs::metadata(path)?;
        std::fs::set_permissions(&new, owner.permissions())?;
        std::os::unix::fs::chown(&new, Some(owner.uid()), Some(owner.gid()))?;
        std::fs::rename(&new, path)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()
    });
    replaced.with_context(|| format!("cannot write {}; the key ring is as it was", new.display()))
}
