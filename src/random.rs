//! The one source of randomness: the operating system's CSPRNG. It is passed down as `&mut impl Rng`.

use chrono::{DateTime, Utc};
use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use uuid::Uuid;

/// The operating system's generator. A system without one cannot run this service, so its failure panics.
#[must_use]
pub const fn secure() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A UUID v7: sorts by time, so that new rows land side by side in an index.
pub fn time_ordered_uuid(now: DateTime<Utc>, rng: &mut impl Rng) -> Uuid {
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    uuid_v7(now, random)
}

/// Sorts before every [`time_ordered_uuid`] of that moment and later, and behind all earlier ones.
#[must_use]
pub fn first_time_ordered_uuid(now: DateTime<Utc>) -> Uuid {
    uuid_v7(now, [0; 10])
}

fn uuid_v7(now: DateTime<Utc>, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Up to the year 10000.
        #[test]
        fn ids_sort_by_time_and_carry_it(millis in 0..253_402_300_800_000_i64, later in 1..1_000_000_i64) {
            let make = |millis| {
                time_ordered_uuid(DateTime::from_timestamp_millis(millis).unwrap(), &mut secure())
            };
            let (first, second) = (make(millis), make(millis + later));
            prop_assert!(first < second);
            let between = first_time_ordered_uuid(DateTime::from_timestamp_millis(millis + later).unwrap());
            prop_assert!(first < between && between <= second);
            prop_assert_eq!(first.get_version_num(), 7);
            prop_assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
            let (seconds, nanos) = first.get_timestamp().unwrap().to_unix();
            prop_assert_eq!(seconds * 1000 + u64::from(nanos / 1_000_000), u64::try_from(millis).unwrap());
        }
    }

    #[test]
    fn ids_of_one_moment_differ() {
        let mut ids: Vec<Uuid> = (0..1000).map(|_| time_ordered_uuid(DateTime::UNIX_EPOCH, &mut secure())).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
