//! A running service whose database is filled.

use std::sync::Arc;

use made_up_world::indexed_people::IndexedPerson;

use super::stored::StoredRows;
use crate::Processes;
use crate::calls::{Call, Caller, Ready};
use crate::drive::{self, Pace};
use crate::installation::Install;
use crate::report::Report;
use crate::scenario::{Scenario, measure_ready};

/// Persons from this index on have no stored requests.
const FIRST_FRESH_PERSON: u64 = 2_000_000;

pub(super) struct FilledService {
    pub(super) stored: StoredRows,
    pub(super) caller: Arc<Caller>,
    pub(super) processes: Processes,
    next_stored: u64,
    next_fresh: u64,
}

impl FilledService {
    pub(super) async fn new(install: &Install, caller: Arc<Caller>, processes: Processes) -> anyhow::Result<Self> {
        let stored = StoredRows::new(install).await?;
        Ok(Self { stored, caller, processes, next_stored: 0, next_fresh: FIRST_FRESH_PERSON })
    }

    /// Prepares calls, half of them for persons with stored requests. Each of those persons orders once.
    pub(super) async fn prepare(&mut self, call: Call, count: u64) -> anyhow::Result<Vec<Ready>> {
        let (stored, fresh) = (self.next_stored, self.next_fresh);
        (self.next_stored, self.next_fresh) = (stored + count / 2, fresh + count / 2);
        let calls = (0..count / 2)
            .flat_map(|n| [IndexedPerson(stored + n), IndexedPerson(fresh + n)])
            .map(|person| (call, person));
        drive::prepare(&self.caller, &calls.collect::<Vec<_>>()).await
    }

    pub(super) async fn measure(&self, call: Call, calls: Vec<Ready>, pace: Pace) -> anyhow::Result<Report> {
        measure_ready(&self.caller, Scenario::Only(call).name(), calls, pace, &self.processes).await
    }

    pub(super) async fn measure_one_in_flight(&mut self, call: Call, count: u64) -> anyhow::Result<Report> {
        let calls = self.prepare(call, count).await?;
        self.measure(call, calls, Pace::InFlight(1)).await
    }
}
