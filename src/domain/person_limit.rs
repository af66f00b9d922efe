//! The limits of a person that rows bear witness to, and that an operator can reset (R4, R18, R25).

use chrono::{DateTime, Utc};

use super::rules::{Limit, LimitRules};

/// A limit of a person, or of the mobile number that the person has now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonLimit {
    /// R4.
    WrongTries,
    /// R18.
    FailedVerifications,
    /// R25.
    PersonPins,
    /// R25, by mobile number.
    MobilePins,
}

impl PersonLimit {
    /// All of them, in the order in which answers list them.
    pub const ALL: [Self; 4] = [Self::WrongTries, Self::FailedVerifications, Self::PersonPins, Self::MobilePins];

    /// The name used in the database: that of the setting.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongTries => "wrong_tries",
            Self::FailedVerifications => "failed_verifications",
            Self::PersonPins => "person_pins",
            Self::MobilePins => "mobile_pins",
        }
    }

    /// Its figures.
    #[must_use]
    pub const fn configured_limit(self, rules: &LimitRules) -> Limit {
        match self {
            Self::WrongTries => rules.wrong_tries,
            Self::FailedVerifications => rules.failed_verifications,
            Self::PersonPins => rules.person_pins,
            Self::MobilePins => rules.mobile_pins,
        }
    }
}

/// What is spent of a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitUsage {
    /// How often, within the window.
    pub times: u32,
    /// From when there is room again; `None` when there is.
    pub until: Option<DateTime<Utc>>,
}

impl LimitUsage {
    /// Sums up what was spent when, all of it within the window, the latest first.
    pub fn count(spends: impl IntoIterator<Item = (DateTime<Utc>, u32)>, limit: Limit) -> Self {
        let mut spent = Self::default();
        for (time, times) in spends {
            spent.times = spent.times.saturating_add(times);
            // The spend whose leaving the window makes room.
            if spent.until.is_none() && times > 0 && spent.times >= limit.times {
                spent.until = Some(time + limit.per);
            }
        }
        spent
    }

    /// Of two counts of one limit, the stricter.
    #[must_use]
    pub fn stricter_of(self, other: Self) -> Self {
        Self { times: self.times.max(other.times), until: self.until.max(other.until) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixture::at;
    use super::*;

    const LIMIT: Limit = Limit { times: 3, per: Duration::from_secs(3600) };

    #[test]
    fn r18_there_is_room_when_the_third_last_leaves_the_window() {
        let spends = ["12:40", "12:30", "12:20", "12:10"].map(|time| (at(&format!("2026-11-24T{time}:00Z")), 1));
        let full = LimitUsage::count(spends, LIMIT);
        assert_eq!(full, LimitUsage { times: 4, until: Some(at("2026-11-24T13:20:00Z")) });
        assert_eq!(LimitUsage::count(spends.into_iter().take(2), LIMIT), LimitUsage { times: 2, until: None });
    }

    #[test]
    fn r4_spends_of_several_at_once() {
        let spends = [("12:40", 0), ("12:30", 2), ("12:20", 3)]
            .map(|(time, times)| (at(&format!("2026-11-24T{time}:00Z")), times));
        assert_eq!(LimitUsage::count(spends, LIMIT), LimitUsage { times: 5, until: Some(at("2026-11-24T13:20:00Z")) });
    }

    #[test]
    fn of_two_counts_the_stricter_is_told() {
        let (redis, rows) =
            (LimitUsage { times: 3, until: Some(at("2026-11-24T13:20:00Z")) }, LimitUsage { times: 2, until: None });
        assert_eq!(rows.stricter_of(redis), redis);
        assert_eq!(redis.stricter_of(rows), redis);
    }
}
