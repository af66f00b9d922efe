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
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
