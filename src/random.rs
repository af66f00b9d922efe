//! The only source of randomness: the generator of the operating system (a CSPRNG). It is passed on as `&mut impl Rng`.

use chrono::{DateTime, Utc};
use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use uuid::Uuid;

/// Random bytes of a UUID of version 7, of which six bits make room for version and variant (RFC 9562, 5.7).
const RANDOM_BYTES: usize = 10;

/// The generator of the operating system. If it fails, the call panics: the service cannot run without randomness.
#[must_use]
pub const fn secure() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// A UUID of version 7. Its first bits are the time, so that new rows are neighbours in an index.
pub fn time_ordered_uuid(now: DateTime<Utc>, rng: &mut impl Rng) -> Uuid {
    let mut random = [0; RANDOM_BYTES];
    rng.fill_bytes(&mut random);
    uuid_v7(now, random)
}

/// The lowest [`time_ordered_uuid`] of `now`: all of that millisecond and later sort after it, all earlier ones before it.
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
        /// The times go up to the year 10000.
        #[test]
        fn ids_sort_by_time_and_contain_it(millis in 0..253_402_300_800_000_i64, later in 1..1_000_000_i64) {
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
    fn ids_of_the_same_time_differ() {
        let mut ids: Vec<Uuid> = (0..1000).map(|_| time_ordered_uuid(DateTime::UNIX_EPOCH, &mut secure())).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}
