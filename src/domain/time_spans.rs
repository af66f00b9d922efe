//! Spans of time that the settings use as defaults.

use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Refusals are answered at a multiple of this time, so that the latency does not reveal the reason. It is longer than the
/// work for a refusal usually takes, so that usually all refusals take the same time.
pub(super) const REFUSAL_INTERVAL: Duration = Duration::from_millis(250);
