//! Every script uses keys of one slot of a Redis Cluster, and is loaded again after Redis has lost it. The tests start a
//! server of their own: `redis-server` or `valkey-server` must be on the path.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use temporary_pin::domain::channel::Channel;
use temporary_pin::guard::{Bucket, GuardDecision};
use test_support::unique;
use tokio::process::{Child, Command};

use crate::fixture::{GuardFixture, agent, at, hold, limit, mobile, person, spend};

/// A cluster of one node that holds all slots. A script with keys of different slots is an error there.
struct Cluster {
    server: Child,
    directory: PathBuf,
    url: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.start_kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Cluster {
    /// A free port is not reserved. If another process takes it first, this tries another port.
    async fn start() -> Self {
        for _ in 0..5 {
            if let Some(cluster) = Self::start_once().await {
                return cluster;
            }
        }
        panic!("the cluster does not start");
    }

    async fn start_once() -> Option<Self> {
        // The cluster bus uses the port that is 10,000 higher.
        let port = std::iter::repeat_with(|| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
            .find(|port| *port < 55_000)
            .unwrap();
        let directory = std::env::temp_dir().join(unique("temporary-pin-cluster"));
        std::fs::create_dir_all(&directory).unwrap();
        let server = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(|program| {
                Command::new(program)
                    .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                    .args(["--save", "", "--cluster-enabled", "yes", "--dir"])
                    .arg(&directory)
                    .stdout(Stdio::null())
                    .spawn()
                    .ok()
            })
            .expect("this test needs redis-server or valkey-server on the path");
        let mut cluster = Self { server, directory, url: format!("redis://127.0.0.1:{port}") };
        cluster.is_ready().await.then_some(cluster)
    }

    /// Waits until our server answers and holds all slots. `false`: it has ended, or does not answer in time.
    async fn is_ready(&mut self) -> bool {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let ours = format!("process_id:{}\r", self.server.id().unwrap());
        for _ in 0..1500 {
            if self.server.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
                let mut info = async |command, section| -> String {
                    redis::cmd(command).arg(section).query_async(&mut connection).await.unwrap_or_default()
                };
                if info("INFO", "server").await.contains(&ours) {
                    if info("CLUSTER", "INFO").await.contains("cluster_state:ok") {
                        return true;
                    }
                    let mut slots = redis::cmd("CLUSTER");
                    slots.arg("ADDSLOTSRANGE").arg(0).arg(16_383);
                    let _: redis::RedisResult<()> = slots.exec_async(&mut connection).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }
}

#[tokio::test]
async fn every_script_uses_keys_of_one_slot() {
    let cluster = Cluster::start().await;
    let mut fixture = GuardFixture::at(&cluster.url).await;
    let (person, agent) = (person(), agent());
    let hold = hold(at(0));
    fixture.guard.remember_hold(person, &hold, at(0)).await.unwrap();
    let spends = [
        Bucket::WrongTries(person),
        Bucket::FailedVerifications(person, Channel::Phone),
        Bucket::PersonPins(person),
        Bucket::MobilePins(mobile()),
        Bucket::AgentVerifications(agent),
        Bucket::AgentPins(agent),
        Bucket::ServicePins,
        Bucket::CallerCalls("phone"),
    ]
    .map(|bucket| spend(bucket, limit(3, 1000), 1));
    assert_eq!(
        fixture.guard.check_and_spend(Some(person), &spends, hold.eligible_time).await,
        Ok(GuardDecision::Allowed)
    );
    assert_eq!(fixture.guard.peek(&spends, hold.eligible_time).await, Ok(GuardDecision::Allowed));

    let mut slots: Vec<(String, u16)> = Vec::new();
    for key in fixture.keys().await {
        let slot = redis::cmd("CLUSTER").arg("KEYSLOT").arg(&key).query_async(&mut fixture.redis).await.unwrap();
        let tag = key[key.find('{').unwrap()..=key.find('}').unwrap()].to_owned();
        slots.push((tag, slot));
    }
    assert_eq!(slots.len(), 9);
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 5, "one slot per tag: {slots:?}");
}

/// As after a restart of Redis, with many concurrent calls.
#[tokio::test]
async fn the_scripts_are_loaded_again_after_redis_has_lost_them() {
    let cluster = Cluster::start().await;
    let mut fixture = GuardFixture::at(&cluster.url).await;
    let orders: Vec<_> = (0..50)
        .map(|number| {
            [
                spend(Bucket::PersonPins(person()), limit(3, 1000), number),
                spend(Bucket::ServicePins, limit(40, 1000), number),
            ]
        })
        .collect();
    for round in 0..2 {
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut fixture.redis).await.unwrap();
        let answers = join_all(orders.iter().map(|order| fixture.check_and_spend(order, at(0)))).await;
        assert_eq!(answers.iter().filter(|answer| **answer == GuardDecision::Allowed).count(), 40, "{round}");
        assert_eq!(fixture.keys().await.len(), 41, "refused persons got their spend back");
        redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut fixture.redis).await.unwrap();
        for (order, _) in orders.iter().zip(answers).filter(|(_, answer)| *answer == GuardDecision::Allowed) {
            fixture.guard.refund(order, at(0)).await.unwrap();
        }
        assert_eq!(fixture.keys().await, [""; 0]);
    }
}
