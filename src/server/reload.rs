//! Reloads values from files when the files change, and on SIGHUP. If a file is not valid, the last valid value stays in
//! use.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use tokio::signal::unix::Signal;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::store::StoreError;
use crate::telemetry::metrics::Metrics;

/// A value from files, as it was when they were last valid.
pub type Reloadable<T> = Arc<ArcSwap<T>>;

/// A SHA-256 digest of a file's content.
type FileDigest = [u8; 32];

/// Files that are watched for changes, and how to reload them.
pub struct WatchedFiles {
    /// What the files hold, for logs and metrics.
    role: &'static str,
    files: Vec<PathBuf>,
    /// The digest of each file at the last read. `None` for a file that could not be read.
    last_digests: Vec<Option<FileDigest>>,
    /// Reads the files and replaces the value, or returns an error and leaves the value.
    reload: Box<dyn FnMut() -> anyhow::Result<()> + Send>,
}

/// Reads a value from its files, and returns what [`watch_files`] needs to reload it. `read` gets the value in use, if
/// there is one, so that it can refuse to replace it.
///
/// # Errors
/// If the first `read` fails.
pub fn load<T: Send + Sync + 'static>(
    role: &'static str,
    files: Vec<PathBuf>,
    read: impl Fn(Option<&T>) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<(Reloadable<T>, WatchedFiles)> {
    // The digests come first, so that a change between digest and read is noticed later.
    let last_digests = digest_files(&files);
    let value = Arc::new(ArcSwap::from_pointee(read(None)?));
    let reloaded = Arc::clone(&value);
    let reload = Box::new(move || read(Some(&reloaded.load())).map(|new| reloaded.store(Arc::new(new))));
    Ok((value, WatchedFiles { role, files, last_digests, reload }))
}

/// Reloads files that have changed every `interval`, and all files on SIGHUP, until `stop`.
pub(super) async fn watch_files(
    mut watched: Vec<WatchedFiles>,
    mut hangup: Signal,
    interval: Duration,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_forced = tokio::select! {
            _ = ticks.tick() => false,
            _ = hangup.recv() => true,
            () = stop.cancelled() => return,
        };
        let metrics = metrics.clone();
        let reloading = tokio::task::spawn_blocking(move || {
            watched.iter_mut().for_each(|files| files.reload_if_changed(is_forced, &metrics));
            watched
        });
        // The task fails only by a panic, which the panic hook has logged.
        let Ok(returned) = reloading.await else { return };
        watched = returned;
    }
}

impl WatchedFiles {
    /// Reloads the files if they have changed, or if `is_forced`.
    fn reload_if_changed(&mut self, is_forced: bool, metrics: &Metrics) {
        let digests = digest_files(&self.files);
        if digests == self.last_digests && !is_forced {
            return;
        }
        self.last_digests = digests;
        let role = self.role;
        match (self.reload)() {
            Ok(()) => {
                tracing::info!(role, "read again");
                metrics.count_reload(role, "taken");
            }
            Err(error) => {
                if matches!(error.downcast_ref(), Some(StoreError::Unavailable(_))) {
                    // The files may be good: read them again at the next look.
                    self.last_digests.fill(None);
                }
                let error = format!("{error:#}");
                tracing::error!(role, error, "cannot be read again; the earlier content stays in use");
                metrics.count_reload(role, "refused");
            }
        }
    }
}

/// Digests files in order to compare them. The contents themselves are not kept, because some are secrets.
fn digest_files(files: &[PathBuf]) -> Vec<Option<FileDigest>> {
    let digest_file = |file| {
        let bytes = Zeroizing::new(std::fs::read(file).ok()?);
        digest(&SHA256, &bytes).as_ref().try_into().ok()
    };
    files.iter().map(digest_file).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use opentelemetry::global;

    use super::*;

    /// A temporary file. Dropping it deletes the file.
    struct TempFile(PathBuf);

    impl TempFile {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("{name}-{}", std::process::id())))
        }

        fn write(&self, text: &str) {
            std::fs::write(&self.0, text).unwrap();
        }
    }

    impl Drop for TempFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn read_number(file: &Path) -> anyhow::Result<u32> {
        Ok(std::fs::read_to_string(file)?.parse()?)
    }

    fn metrics() -> Metrics {
        Metrics::new(&global::meter("test"))
    }

    #[test]
    fn a_changed_file_is_reloaded_and_an_invalid_one_is_not() {
        let file = TempFile::new("taken");
        file.write("1");
        let path = file.0.clone();
        let (value, mut files) = load("number", vec![file.0.clone()], move |_| read_number(&path)).unwrap();
        for (text, expected) in [("1", 1), ("2", 2), ("x", 2), ("", 2), ("3", 3)] {
            file.write(text);
            files.reload_if_changed(false, &metrics());
            assert_eq!(**value.load(), expected, "{text:?}");
        }
        std::fs::remove_file(&file.0).unwrap();
        files.reload_if_changed(false, &metrics());
        assert_eq!(**value.load(), 3);
        file.write("4");
        files.reload_if_changed(false, &metrics());
        assert_eq!(**value.load(), 4);
    }

    #[test]
    fn an_unchanged_file_is_reloaded_only_if_forced() {
        let file = TempFile::new("asked");
        file.write("1");
        let (value, mut files) = {
            let read = std::sync::atomic::AtomicU32::new(0);
            let count = move |_: Option<&u32>| Ok(read.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            load("count", vec![file.0.clone()], count).unwrap()
        };
        files.reload_if_changed(false, &metrics());
        assert_eq!(**value.load(), 0);
        files.reload_if_changed(true, &metrics());
        assert_eq!(**value.load(), 1);
    }

    #[test]
    fn an_invalid_file_at_the_start_is_an_error() {
        let file = TempFile::new("start");
        file.write("x");
        let path = file.0.clone();
        assert!(load("number", vec![file.0.clone()], move |_| read_number(&path)).is_err());
    }
}
