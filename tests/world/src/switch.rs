//! Switches that make a part of the world misbehave.

use std::sync::{Arc, Mutex, PoisonError};

/// A mode that tests set and a server reads.
#[derive(Clone)]
pub struct Switch<M>(Arc<Mutex<M>>);

impl<M: Copy> Switch<M> {
    #[must_use]
    pub fn new(mode: M) -> Self {
        Self(Arc::new(Mutex::new(mode)))
    }

    #[must_use]
    pub fn get(&self) -> M {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, mode: M) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }
}
