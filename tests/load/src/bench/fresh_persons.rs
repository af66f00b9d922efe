//! Persons who have had no PIN yet, by index.

#[derive(Default)]
pub(super) struct FreshPersons(u64);

impl FreshPersons {
    /// Gives out `count` persons; answers the index of the first.
    pub(super) fn take(&mut self, count: u64) -> u64 {
        let first = self.0;
        self.0 += count;
        first
    }
}
