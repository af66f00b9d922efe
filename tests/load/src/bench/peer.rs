//! Measures the peer, better-auth (npm), in turn with the service. It sends codes to phone numbers through the same gateway.

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

use super::arguments::BenchArguments;
use super::fresh_persons::FreshPersons;
use super::round::IN_FLIGHT;
use super::service;
use crate::Processes;
use crate::calls::{Call, Caller, Failure, MakeCalls};
use crate::deliveries::Deliveries;
use crate::drive::Pace;
use crate::report::Report;
use crate::scenario::{Scenario, measure, measure_ready};
use crate::world::World;

/// How often the peer and the service are measured in a round.
const TURNS: usize = 2;

const PORT: u16 = 15064;

const NAME: &str = "better-auth";

/// The client address of the first person. Each person has an address, because the peer limits calls by address.
const FIRST_CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);

/// Codes sent before measuring, while the peer compiles its programs and opens connections.
const WARM_UP_CODES: u64 = 5000;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The peer, which runs until this is dropped.
pub(super) struct Peer {
    sender: Arc<Sender>,
    processes: Processes,
    _running: service::Running,
}

impl Peer {
    /// Starts the peer with a database of its own, and warms it up.
    pub(super) async fn start(
        bench: &BenchArguments,
        program: &Path,
        world: &Arc<World>,
        persons: &mut FreshPersons,
    ) -> anyhow::Result<Self> {
        let mut redis = Url::parse(&bench.redis_url).context("REDIS_URL: must be like redis://host:port")?;
        redis.set_path("1"); // the service uses database 0
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
        let failures = check_deliveries(peer.send(persons, WARM_UP_CODES).await?).failures;
        ensure!(failures.is_empty(), "{NAME} does not send codes: {failures:?}");
        Ok(peer)
    }

    /// Measures the service with `count` PINs and the peer with `count` codes, in turn.
    pub(super) async fn measure_beside(
        &self,
        caller: &Arc<Caller>,
        processes: &Processes,
        persons: &mut FreshPersons,
        count: u64,
    ) -> anyhow::Result<Vec<[Report; 2]>> {
        let (issue, pace) = (Scenario::Only(Call::Issue), Pace::InFlight(IN_FLIGHT.into()));
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            let issued = measure(caller, issue, count, persons.take(count), pace, processes).await?;
            turns.push([issued, self.send(persons, count).await?].map(check_deliveries));
        }
        Ok(turns)
    }

    /// Sends a code to each of `count` persons.
    async fn send(&self, persons: &mut FreshPersons, count: u64) -> anyhow::Result<Report> {
        let first = persons.take(count);
        let calls = (first..first + count).map(IndexedPerson).collect();
        let pace = Pace::InFlight(IN_FLIGHT.into());
        let report = measure_ready(&self.sender, NAME.to_owned(), calls, pace, &self.processes).await?;
        // The peak is that of its first process, which only starts the others.
        Ok(Report { service_peak_memory_kib: None, ..report })
    }
}

/// Counts messages that did not arrive, or arrived twice, as failures: each successful call sends one message.
fn check_deliveries(mut report: Report) -> Report {
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

impl MakeCalls for Sender {
    type Ready = IndexedPerson;

    /// Asks for a code from the person's own address.
    async fn make(&self, person: &IndexedPerson) -> Result<(), Failure> {
        let index = u32::try_from(person.0).map_err(|too_many| too_many.to_string())?;
        let address = Ipv4Addr::from_bits(FIRST_CLIENT_ADDRESS.to_bits() + index);
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
    fn a_lost_or_repeated_message_is_a_failure() {
        let mut latencies = Histogram::new(3).unwrap();
        latencies.record_n(1_000_000, 3).unwrap();
        let (failures, elapsed) = (BTreeMap::new(), Duration::from_secs(1));
        let measured = Measured { latencies, failures, start: Instant::now(), elapsed };
        let failed = |messages| {
            let report = Report::new(NAME.to_owned(), Pace::InFlight(IN_FLIGHT.into()), &measured);
            check_deliveries(Report { messages, ..report }).failures.values().sum::<u64>()
        };
        assert_eq!([2, 3, 5].map(failed), [1, 0, 2]);
    }
}
