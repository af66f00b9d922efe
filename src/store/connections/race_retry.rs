//! What a statement does that lost a race against a concurrent statement for the same person: it runs again, and then sees
//! the outcome of that race.

use super::StoreError;
use super::error::lost_race;

/// How often a statement that lost a race runs again.
pub(in crate::store) const MAX_RACE_RETRIES: usize = 3;

/// The result of one run of a statement. `Ok(None)`: it lost a race and wrote nothing.
pub(in crate::store) fn none_if_race_lost<T>(result: Result<Option<T>, sqlx::Error>) -> Result<Option<T>, StoreError> {
    match result {
        Err(error) if lost_race(&error) => Ok(None),
        result => Ok(result?),
    }
}

/// The error after [`MAX_RACE_RETRIES`]. `subject` is what there is too much of: "orders", for example.
pub(in crate::store) fn too_many_races(subject: &str) -> StoreError {
    StoreError::Unavailable(format!("too many {subject} for one person at once").into())
}
