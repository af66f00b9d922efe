//! The peer: better-auth (npm), which sends codes to phone numbers through the gateway that the service's messages go to.
//! Measured in turn with the service.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use made_up_world::gateway;
use made_up_world::indexed_people::IndexedPerson;
use reqwest::{Client, Url};
use serde_json::json;

use super::{Bench, IN_FLIGHT, Persons, service};
use crate::Processes;
use crate::calls::{Call, Caller, Failure, Make};
use crate::deliveries::Deliveries;
use crate::drive::Pace;
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready};
use crate::world::World;

/// How often the two take turns in a round.
const TURNS: usize = 2;

const PORT: u16 = 15064;

const NAME: &str = "better-auth";

/// Whose a call of the first person seems to be.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);

/// Codes until its programs are compiled and its connections made.
const WARM_UP: u64 = 5000;

/// Most time for one call.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The peer, which runs until this is dropped.
pub(super) struct Peer {
    sender: Arc<Sender>,
    processes: Processes,
    _running: service::Running,
}

impl Peer {
    /// Starts it, with a database of its own, and warms it up.
    pub(super) async fn start(
        bench: &Bench,
        program: &Path,
        world: &Arc<World>,
        persons: &mut Persons,
    ) -> anyhow::Result<Self> {
        let mut redis = Url::parse(&bench.redis_url).context("REDIS_URL: must be like redis://host:port")?;
        redis.set_path("1"); // the service's is 0
        let mut node = Command::new("node");
        node.arg(program)
            .env("NODE_ENV", "production")
            .env("PORT", PORT.to_string())
            .env("DATABASE_URL", service::create_database(&bench.database_url, "bench_peer").await?)
            .env("REDIS_URL", redis.as_str())
            .env("GATEWAY_URL", format!("{}{}", bench.world.http_url(), gateway::PATH))
            .env("GATEWAY_TOKEN", gateway::TOKEN);
        let running = service::Running::spawn(node, &bench.directory, "peer")?.listening(PORT).await?;
        let sender = Sender {
            client: Client::builder().no_proxy().timeout(REQUEST_TIMEOUT).build()?,
            url: format!("http://127.0.0.1:{PORT}/api/auth/phone-number/send-otp").parse()?,
            world: Arc::clone(world),
        };
        let processes = Processes { service_pid: Some(running.pid()), ..bench.processes.clone() };
        let peer = Self { sender: Arc::new(sender), processes, _running: running };
        let failures = delivered(peer.send(persons, WARM_UP).await?).failures;
        ensure!(failures.is_empty(), "{NAME} does not send codes: {failures:?}");
        Ok(peer)
    }

    /// The service and the peer in turn: so many PINs, so many codes.
    pub(super) async fn measure_beside(
        &self,
        caller: &Arc<Caller>,
        processes: &Processes,
        persons: &mut Persons,
        count: u64,
    ) -> anyhow::Result<Vec<[Report; 2]>> {
        let (issue, pace) = (Scenario::Only(Call::Issue), Pace::InFlight(IN_FLIGHT.into()));
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            let issued = measure(caller, issue, count, persons.take(count), pace, processes).await?;
            turns.push([issued, self.send(persons, count).await?].map(delivered));
        }
        Ok(turns)
    }

    /// A code to each of so many persons.
    async fn send(&self, persons: &mut Persons, count: u64) -> anyhow::Result<Report> {
        let first = persons.take(count);
        let calls = (first..first + count).map(IndexedPerson).collect();
        let pace = Pace::InFlight(IN_FLIGHT.into());
        let report = measure_ready(&self.sender, NAME.to_owned(), calls, pace, &self.processes).await?;
        // That of the first of its processes, which only starts the others.
        Ok(Report { service_peak_memory_kib: None, ..report })
    }
}

/// Every call that went well has sent one message. One that has not arrived, or arrived twice, is a failure.
fn delivered(mut report: Report) -> Report {
    let astray = report.messages.abs_diff(report.calls);
    if astray > 0 {
        report.failures.insert("answered, but not delivered once".to_owned(), astray);
    }
    report
}

/// Asks the peer for codes.
struct Sender {
    client: Client,
    url: Url,
    world: Arc<World>,
}

impl Make for Sender {
    type Ready = IndexedPerson;

    /// From an address of the person's own: the peer counts by address, and would soon refuse a single one.
    async fn make(&self, person: &IndexedPerson) -> Result<(), Failure> {
        let index = u32::try_from(person.0).map_err(|too_many| too_many.to_string())?;
        let address = Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits() + index);
        let answer = self
            .client
            .post(self.url.clone())
            .header("x-forwarded-for", address.to_string())
            .json(&json!({ "phoneNumber": person.mobile_number() }))
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("HTTP {}", answer.status().as_u16())) }
    }

    fn deliveries(&self) -> &Deliveries {
        &self.world.deliveries
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hdrhistogram::Histogram;
    use tokio::time::Instant;

    use super::*;
    use crate::drive::Measured;

    #[test]
    fn a_message_that_goes_astray_is_a_failure() {
        let mut latencies = Histogram::new(3).unwrap();
        latencies.record_n(1_000_000, 3).unwrap();
        let (failures, elapsed) = (BTreeMap::new(), Duration::from_secs(1));
        let measured = Measured { latencies, failures, start: Instant::now(), elapsed };
        let failed = |messages| {
            let report = Report::new(NAME.to_owned(), Pace::InFlight(IN_FLIGHT.into()), &measured);
            delivered(Report { messages, ..report }).failures.values().sum::<u64>()
        };
        assert_eq!([2, 3, 5].map(failed), [1, 0, 2]);
    }
}
