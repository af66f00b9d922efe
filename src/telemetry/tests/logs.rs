use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::super::{Telemetry, TelemetrySettings, build_subscriber};

/// Collects the written bytes.
#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogBuffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Runs `log` under a filter and returns what it writes to the log.
pub(crate) fn capture_log(filter: &str, json: bool, log: impl FnOnce()) -> String {
    let settings = TelemetrySettings { log: filter.to_owned(), ..TelemetrySettings::default() };
    let buffer = LogBuffer::default();
    let subscriber = build_subscriber(&settings, &Telemetry::start(&settings).unwrap(), buffer.clone(), json).unwrap();
    tracing::subscriber::with_default(subscriber, log);
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

macro_rules! log_as {
    ($($target:literal)*) => {
        $(
            tracing::trace!(target: $target, "12345678");
            tracing::debug!(target: $target, "12345678");
            tracing::info!(target: $target, "12345678");
            tracing::warn!(target: $target, concat!("warning of ", $target));
        )*
    };
}

#[test]
fn no_filter_lets_other_code_log_below_warn() {
    for filter in ["trace", "info,redis=trace,sqlx=trace,h2=trace,hyper=trace,rustls=trace,reqwest=trace,tonic=trace"] {
        let text = capture_log(filter, true, || {
            log_as!("redis" "sqlx::query" "h2::codec" "hyper_util::client" "rustls::client" "reqwest" "tonic" "new_crate");
        });
        assert!(!text.contains("12345678"), "{filter}: {text}");
        assert!(text.contains("warning of sqlx::query"), "{filter}: {text}");
    }
}

#[test]
fn the_filter_applies_to_our_own_code() {
    let log = || {
        tracing::trace!(target: "temporary_pin::sms", "fine");
        tracing::info!(target: "temporary_pin::sms", "coarse");
    };
    assert!(capture_log("trace", true, log).contains("fine"));
    let text = capture_log("info", true, log);
    assert!(text.contains("coarse") && !text.contains("fine"), "{text}");
    assert_eq!(capture_log("info,temporary_pin::sms=error", true, log), "");
}

#[test]
fn a_machine_gets_json_with_the_spans() {
    let text = capture_log("info", true, || {
        let _call = tracing::info_span!("rpc", caller = "web").entered();
        let _part = tracing::info_span!("redis").entered();
        tracing::info!(code = "Ok", "call");
    });
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["message"], &line["code"], &line["level"]), (&"call".into(), &"Ok".into(), &"INFO".into()));
    assert_eq!((&line["spans"][0]["caller"], &line["spans"][1]["name"]), (&"web".into(), &"redis".into()));
}

#[test]
fn a_terminal_gets_plain_lines() {
    let text = capture_log("info", false, || tracing::info!("listening"));
    assert!(text.contains("listening") && !text.starts_with('{'), "{text}");
}

#[test]
fn an_invalid_filter_is_rejected() {
    let settings = TelemetrySettings { log: "temporary_pin=loud".to_owned(), ..TelemetrySettings::default() };
    assert!(build_subscriber(&settings, &Telemetry::start(&settings).unwrap(), io::sink, true).is_err());
}
