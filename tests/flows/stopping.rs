//! A graceful stop: running calls finish, and the health service says NOT_SERVING, so that clients use another instance.

use std::time::Duration;

use sqlx::Connection as _;
use test_support::world::{World, wait_until};
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn a_running_call_succeeds_when_the_service_stops() {
    let world = World::start().await;
    let person = world.new_person().await;
    let verification = world.identify(&person).await;
    let mut health = watch(&world).await;
    assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    // An order waits for a table that another transaction has locked.
    let (mut locker, mut watcher) = (world.database().await, world.database().await);
    let mut lock = locker.begin().await.unwrap();
    sqlx::query("LOCK TABLE pin_requests IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let order = world.issue("phone", &verification);
    let stopping = async {
        wait_until("the order waits", async || {
            let waiting =
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'pin_requests'::regclass)";
            sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut watcher).await.unwrap()
        })
        .await;
        world.sandbox.terminate();
        let health_change =
            timeout(Duration::from_secs(5), health.message()).await.expect("health changes in time").unwrap();
        assert_eq!(health_change.unwrap().status(), ServingStatus::NotServing);
        drop(health);
        lock.rollback().await.unwrap();
    };

    let (issued, ()) = tokio::join!(order, stopping);

    issued.unwrap();
    let World { mut sandbox, channel, .. } = world;
    drop(channel);
    let stopped = tokio::task::spawn_blocking(move || sandbox.wait());
    let status = timeout(Duration::from_secs(20), stopped).await.expect("the process ends").unwrap();
    assert!(status.success(), "{status}");
}

async fn watch(world: &World) -> tonic::Streaming<tonic_health::pb::HealthCheckResponse> {
    let mut client = HealthClient::new(world.channel.clone());
    let service = "temporarypin.v1.TemporaryPinService".to_owned();
    client.watch(HealthCheckRequest { service }).await.unwrap().into_inner()
}
