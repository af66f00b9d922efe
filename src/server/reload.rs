//! What is read from files is read again when they change, and on SIGHUP. What is broken is not taken: the old serves on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use tokio::signal::unix::Signal;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::telemetry::metrics::Metrics;

/// A value as its files were when they were last right.
pub type Current<T> = Arc<ArcSwap<T>>;

/// Files that are read again.
pub struct Reload {
    /// What they hold, in logs and metrics.
    role: &'static str,
    files: Vec<PathBuf>,
    /// What they were when they were last read; of each, or of none that can be read.
    seen: Vec<Option<[u8; 32]>>,
    /// Reads them and puts what they hold in the place of what they held, or leaves it.
    read: Box<dyn FnMut() -> anyhow::Result<()> + Send>,
}

/// Reads a value from its files, and what [`watch`] needs to read it again. `read` is given the value that serves, if there
/// is one: it may refuse to replace it.
pub fn keep<T: Send + Sync + 'static>(
    role: &'static str,
    files: Vec<PathBuf>,
    read: impl Fn(Option<&T>) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<(Current<T>, Reload)> {
    // Before they are read: a change meanwhile is then seen as one.
    let seen = contents(&files);
    let current = Arc::new(ArcSwap::from_pointee(read(None)?));
    let place = Arc::clone(&current);
    let read = Box::new(move || read(Some(&place.load())).map(|new| place.store(Arc::new(new))));
    Ok((current, Reload { role, files, seen, read }))
}

/// Looks at the files every `interval`, and on SIGHUP reads them in any case, until `stop`.
pub(super) async fn watch(
    mut reloads: Vec<Reload>,
    mut hangup: Signal,
    interval: Duration,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let asked = tokio::select! {
            _ = ticks.tick() => false,
            _ = hangup.recv() => true,
            () = stop.cancelled() => return,
        };
        let metrics = metrics.clone();
        let looking = tokio::task::spawn_blocking(move || {
            reloads.iter_mut().for_each(|reload| reload.look(asked, &metrics));
            reloads
        });
        // A panic has been logged by the panic hook.
        let Ok(looked) = looking.await else { return };
        reloads = looked;
    }
}

impl Reload {
    /// Reads the files if they have changed, or if `asked`.
    fn look(&mut self, asked: bool, metrics: &Metrics) {
        let contents = contents(&self.files);
        if contents == self.seen && !asked {
            return;
        }
        self.seen = contents;
        let role = self.role;
        match (self.read)() {
            Ok(()) => {
                tracing::info!(role, "read again");
                metrics.reload(role, "taken");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(role, error, "cannot be read again; what was read before serves on");
                metrics.reload(role, "refused");
            }
        }
    }
}

/// A digest of each file, for comparison: some hold secrets.
fn contents(files: &[PathBuf]) -> Vec<Option<[u8; 32]>> {
    let content = |file| {
        let bytes = Zeroizing::new(std::fs::read(file).ok()?);
        digest(&SHA256, &bytes).as_ref().try_into().ok()
    };
    files.iter().map(content).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use opentelemetry::global;

    use super::*;

    /// A file with a number in it.
    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("{name}-{}", std::process::id())))
        }

        fn write(&self, text: &str) {
            std::fs::write(&self.0, text).unwrap();
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn number(file: &Path) -> anyhow::Result<u32> {
        Ok(std::fs::read_to_string(file)?.parse()?)
    }

    fn metrics() -> Metrics {
        Metrics::new(&global::meter("test"))
    }

    #[test]
    fn what_changes_is_taken_and_what_is_broken_is_not() {
        let file = File::new("taken");
        file.write("1");
        let path = file.0.clone();
        let (current, mut reload) = keep("number", vec![file.0.clone()], move |_| number(&path)).unwrap();
        for (text, expected) in [("1", 1), ("2", 2), ("x", 2), ("", 2), ("3", 3)] {
            file.write(text);
            reload.look(false, &metrics());
            assert_eq!(**current.load(), expected, "{text:?}");
        }
        std::fs::remove_file(&file.0).unwrap();
        reload.look(false, &metrics());
        assert_eq!(**current.load(), 3);
        file.write("4");
        reload.look(false, &metrics());
        assert_eq!(**current.load(), 4);
    }

    #[test]
    fn what_has_not_changed_is_read_only_when_asked() {
        let file = File::new("asked");
        file.write("1");
        let (current, mut reload) = {
            let read = std::sync::atomic::AtomicU32::new(0);
            let count = move |_: Option<&u32>| Ok(read.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            keep("count", vec![file.0.clone()], count).unwrap()
        };
        reload.look(false, &metrics());
        assert_eq!(**current.load(), 0);
        reload.look(true, &metrics());
        assert_eq!(**current.load(), 1);
    }

    #[test]
    fn a_broken_file_at_the_start_is_an_error() {
        let file = File::new("start");
        file.write("x");
        let path = file.0.clone();
        assert!(keep("number", vec![file.0.clone()], move |_| number(&path)).is_err());
    }
}
