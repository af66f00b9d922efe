//! Switches by which a test makes a part of the world misbehave.

use std::sync::{Arc, Mutex, PoisonError};

/// A mode that one side sets and the other reads.
#[derive(Clone)]
pub struct Switch<M>(Arc<Mutex<M>>);

impl<M: Copy> Switch<M> {
    /// A switch that stands at `mode`.
    pub fn new(mode: M) -> Self {
        Self(Arc::new(Mutex::new(mode)))
    }

    /// Where it stands.
    pub fn get(&self) -> M {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it.
    pub fn set(&self, mode: M) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }
}
