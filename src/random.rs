//! The only source of randomness: the generator of the operating system (a CSPRNG). It is passed on as `&mut impl Rng`.

use chrono::{DateTime, Utc};
use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use uuid::Uuid;

/// The number of random bytes for a UUID of version 7. The version and the variant overwrite six of their bits (RFC 9562, 5.7).
const RANDOM_BYTES: usize = 10;

/// The generator of the operating system. If it fails, the call panics: the service cannot run without randomness.
#[must_use]
pub const fn secure() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A UUID of version 7. It begins with the time, so that rows made at about the same time are close together in an index.
pub fn time_ordered_uuid(now: DateTime<Utc>, rng: &mut impl Rng) -> Uuid {
    let mut random = [0; RANDOM_BYTES];
    rng.fill_bytes(&mut random);
    uuid_v7(now, random)
}

/// A lower bound of [`time_ordered_uuid`]: UUIDs made in the millisecond of `now` or later are not lower, and UUIDs made
/// earlier are lower.
#[must_use]
pub fn first_time_ordered_uuid(now: DateTime<Utc>) -> Uuid {
    uuid_v7(now, [0; RANDOM_BYTES])
}

fn uuid_v7(now: DateTime<Utc>, random: [u8; RANDOM_BYTES]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `millis` covers the years 1970 to 9999.
        #[test]
        fn ids_sort_by_time_and_contain_the_time(millis in 0..253_402_300_800_000_i64, later in 1..1_000_000_i64) {
            let make = |millis| {
                time_ordered_uuid(DateTime::from_timestamp_millis(millis).unwrap(), &mut secure())
            };
            let (first, second) = (make(millis), make(millis + later));
            prop_assert!(first < second);
            let lower_bound = first_time_ordered_uuid(DateTime::from_timestamp_millis(millis + later).unwrap());
            prop_assert!(first < lower_bound && lower_bound <= second);
            prop_assert_eq!(first.get_version_num(), 7);
            prop_assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
            let (seconds, nanos) = first.get_timestamp().unwrap().to_unix();
            prop_assert_eq!(seconds * 1000 + u64::from(nanos / 1_000_000), u64::try_from(millis).unwrap());
        }
    }

    #[test]
    fn ids_of_the_same_time_differ() {
        let mut ids: Vec<Uuid> = (0..1000).map(|_| time_ordered_uuid(DateTime::UNIX_EPOCH, &mut secure())).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
