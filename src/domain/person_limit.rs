//! The limits of a person that are counted both in Redis and from rows in Postgres, and that an operator can reset (R4, R18,
//! R25).

use chrono::{DateTime, Utc};

use super::channel::Channel;
use super::rule_settings::{Limit, LimitRules};

/// A limit that applies to a person, or to the mobile number that is registered now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonLimit {
    /// R4: wrong tries.
    WrongTries,
    /// R18: failed verifications in one channel.
    FailedVerifications(Channel),
    /// R25: PINs per person.
    PersonPins,
    /// R25: PINs per mobile number.
    MobilePins,
}

impl PersonLimit {
    /// All limits, in the order in which responses list them.
    pub const ALL: [Self; 5] = [
        Self::WrongTries,
        Self::FailedVerifications(Channel::Phone),
        Self::FailedVerifications(Channel::Counter),
        Self::PersonPins,
        Self::MobilePins,
    ];

    /// The name in the database. It equals the name of the setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongTries => "wrong_tries",
            Self::FailedVerifications(_) => "failed_verifications",
            Self::PersonPins => "person_pins",
            Self::MobilePins => "mobile_pins",
        }
    }

    /// The limits that are reset together with this one: failed verifications are reset in all channels.
    pub fn reset_together(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |limit| limit.as_str() == self.as_str())
    }

    #[must_use]
    pub const fn configured_limit(self, rules: &LimitRules) -> Limit {
        match self {
            Self::WrongTries => rules.wrong_tries,
            Self::FailedVerifications(_) => rules.failed_verifications,
            Self::PersonPins => rules.person_pins,
            Self::MobilePins => rules.mobile_pins,
        }
    }
}

/// How much of a limit is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitUsage {
    /// How often the limit was spent within its window.
    pub times: u32,
    /// When the limit has room again; `None` if it has room now.
    pub full_until: Option<DateTime<Utc>>,
}

impl LimitUsage {
    /// Counts spends: each a time and how often the limit was spent at that time. All must lie within the window, the latest
    /// first.
    pub fn count(spends: impl IntoIterator<Item = (DateTime<Utc>, u32)>, limit: Limit) -> Self {
        let mut usage = Self::default();
        for (time, times) in spends {
            usage.times = usage.times.saturating_add(times);
            // This spend is the newest one that has to leave the window before the limit has room.
            if usage.full_until.is_none() && times > 0 && usage.times >= limit.times {
                usage.full_until = Some(time + limit.per);
            }
        }
        usage
    }

    /// The stricter of two counts of the same limit.
    #[must_use]
    pub fn stricter_of(self, other: Self) -> Self {
        Self { times: self.times.max(other.times), full_until: self.full_until.max(other.full_until) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixture::at;
    use super::*;

    const LIMIT: Limit = Limit { times: 3, per: Duration::from_secs(3600) };

    #[test]
    fn r18_the_limit_has_room_when_the_third_latest_spend_leaves_the_window() {
        let spends = ["12:40", "12:30", "12:20", "12:10"].map(|time| (at(&format!("2026-11-24T{time}:00Z")), 1));
        let usage = LimitUsage::count(spends, LIMIT);
        assert_eq!(usage, LimitUsage { times: 4, full_until: Some(at("2026-11-24T13:20:00Z")) });
        assert_eq!(LimitUsage::count(spends.into_iter().take(2), LIMIT), LimitUsage { times: 2, full_until: None });
    }

    #[test]
    fn r4_several_spends_at_one_time_all_count() {
        let spends = [("12:40", 0), ("12:30", 2), ("12:20", 3)]
            .map(|(time, times)| (at(&format!("2026-11-24T{time}:00Z")), times));
        assert_eq!(
            LimitUsage::count(spends, LIMIT),
            LimitUsage { times: 5, full_until: Some(at("2026-11-24T13:20:00Z")) }
        );
    }

    #[test]
    fn the_stricter_of_two_counts_is_taken() {
        let (redis, rows) = (
            LimitUsage { times: 3, full_until: Some(at("2026-11-24T13:20:00Z")) },
            LimitUsage { times: 2, full_until: None },
        );
        assert_eq!(rows.stricter_of(redis), redis);
        assert_eq!(redis.stricter_of(rows), redis);
    }
}
