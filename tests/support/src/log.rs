//! Collects the log of a test: all levels of our own code, and WARN and above of other crates, as `telemetry` filters them.
//!
//! One subscriber serves the whole process. A subscriber per test would miss events: `tracing` caches for each place in the
//! code whether a subscriber wants its events, and concurrent tests would race for this cache.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use tracing::Level;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

thread_local! {
    /// The log of this thread. `None` while it is not collected.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Installs the subscriber. Each test calls this before anything can be logged.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let collecting = dynamic_filter_fn(|metadata, _| {
            let passes = metadata.target().starts_with("temporary_pin") || *metadata.level() <= Level::WARN;
            passes && LOG.with_borrow(Option::is_some)
        });
        let layer = tracing_subscriber::fmt::layer().with_writer(|| Writer).with_filter(collecting);
        tracing_subscriber::registry().with(layer).init();
    });
}

/// Starts to collect the log of this thread.
pub fn start_collecting() {
    LOG.set(Some(Vec::new()));
}

/// Stops collecting, and returns the log.
pub fn take_log() -> String {
    String::from_utf8(LOG.take().unwrap_or_default()).expect("logs are text")
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.get_or_insert_default().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
