//! Switches that make a part of the world misbehave.

use tokio::sync::watch;

/// A mode that tests set and a server reads.
#[derive(Clone)]
pub struct Switch<M>(watch::Sender<M>);

impl<M: Clone + Send + Sync + 'static> Switch<M> {
    #[must_use]
    pub fn new(mode: M) -> Self {
        Self(watch::Sender::new(mode))
    }

    #[must_use]
    pub fn get(&self) -> M {
        self.0.borrow().clone()
    }

    pub fn set(&self, mode: M) {
        self.0.send_replace(mode);
    }

    /// Waits until the mode is one of those that `condition` names.
    pub async fn wait_until(&self, condition: impl FnMut(&M) -> bool) {
        // The channel is open, because `self` sends to it.
        let _ = self.0.subscribe().wait_for(condition).await;
    }
}
