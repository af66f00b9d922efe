//! Every script keeps to one slot of a Redis Cluster. Needs `redis-server` on the path: runs one of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use temporary_pin::guard::{Admission, Bucket};
use tokio::process::{Child, Command};

use crate::world::{World, agent, at, hold, limit, mobile, person, spend};

/// A cluster of one node that holds all slots. Keys of different slots in one script are an error there.
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
    async fn start() -> Self {
        // The cluster's own port is 10000 higher.
        let port = std::iter::repeat_with(|| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
            .find(|port| *port < 55_000)
            .unwrap();
        let directory = std::env::temp_dir().join(format!("temporary-pin-cluster-{port}"));
        std::fs::create_dir_all(&directory).unwrap();
        let server = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--cluster-enabled",
                "yes",
                "--dir",
            ])
            .arg(&directory)
            .stdout(Stdio::null())
            .spawn()
            .expect("this test needs redis-server on the path");
        let url = format!("redis://127.0.0.1:{port}");
        let cluster = Self { server, directory, url };
        cluster.await_ready().await;
        cluster
    }

    async fn await_ready(&self) {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("ADDSLOTSRANGE").arg(0).arg(16_383);
        for _ in 0..500 {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
                let _: redis::RedisResult<()> = slots.exec_async(&mut connection).await;
                let info: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection).await.unwrap();
                if info.contains("cluster_state:ok") {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the cluster does not start");
    }
}

#[tokio::test]
async fn every_script_keeps_to_one_slot() {
    let cluster = Cluster::start().await;
    let mut world = World::at(&cluster.url).await;
    let (person, agent) = (person(), agent());
    let hold = hold(at(0));
    world.guard.remember_hold(person, &hold, at(0)).await.unwrap();
    let spends = [
        Bucket::WrongTries(person),
        Bucket::FailedVerifications(person),
        Bucket::PersonPins(person),
        Bucket::MobilePins(mobile()),
        Bucket::AgentVerifications(agent),
        Bucket::AgentPins(agent),
        Bucket::ServicePins,
        Bucket::CallerCalls("phone"),
    ]
    .map(|bucket| spend(bucket, limit(3, 1000), 1));
    assert_eq!(world.guard.admit(Some(person), &spends, hold.eligible_time).await, Ok(Admission::Admitted));
    assert_eq!(world.guard.peek(&spends, hold.eligible_time).await, Ok(Admission::Admitted));

    let mut slots: Vec<(String, u16)> = Vec::new();
    for key in world.keys().await {
        let slot = redis::cmd("CLUSTER").arg("KEYSLOT").arg(&key).query_async(&mut world.redis).await.unwrap();
        let tag = key[key.find('{').unwrap()..=key.find('}').unwrap()].to_owned();
        slots.push((tag, slot));
    }
    assert_eq!(slots.len(), 9);
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), 5, "one slot per tag: {slots:?}");

    // A script that Redis has forgotten, as after a restart, is loaded again.
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut world.redis).await.unwrap();
    world.guard.refund(&spends, hold.eligible_time).await.unwrap();
    assert_eq!(world.keys().await.len(), 1, "the hold alone");
}
