//! The key ring of an instance must be that of the database.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};
use temporary_pin::keys::{KeyPurpose, KeyRing, RingFile};
use temporary_pin::random;
use temporary_pin::store::{
    HealthProbe, InstanceKeys, PoolSettings, StoreError, check_keys, compare_keys, connect_instance, forget_key,
    schema_is_current,
};
use test_support::store::*;

fn settings() -> PoolSettings {
    PoolSettings { max_connections: 1, acquire_timeout: Duration::from_secs(2), ..PoolSettings::default() }
}

fn keys(file: &RingFile) -> InstanceKeys {
    let ring = KeyRing::parse(&file.to_text()).unwrap();
    InstanceKeys::new(ring.pseudonym_key_id(), ring.check_values())
}

fn new_ring() -> RingFile {
    RingFile::generate(&mut random::secure())
}

async fn serves(url: &str, keys: &InstanceKeys) -> bool {
    let keys = keys.clone();
    let instance = connect_instance(url, &settings(), move || keys.clone()).unwrap();
    let current = schema_is_current(&instance).await;
    instance.close().await;
    assert!(matches!(current, Ok(true) | Err(StoreError::Unavailable(_))), "{current:?}");
    current.is_ok()
}

#[sqlx::test]
async fn r26_a_foreign_or_mixed_key_ring_with_the_same_ids_gets_no_connection(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let url = options.to_url_lossy().to_string();
    let (own, foreign) = (new_ring(), new_ring());
    assert!(serves(&url, &keys(&own)).await, "the first key ring is that of the database");
    assert!(!serves(&url, &keys(&foreign)).await);
    // Each key counts, also one that is not active.
    let (own_lines, foreign_lines) = (own.to_text(), foreign.to_text());
    for (own_line, foreign_line) in own_lines.lines().zip(foreign_lines.lines()) {
        let mixed = own_lines.replace(own_line, foreign_line);
        assert_eq!(serves(&url, &keys(&RingFile::parse(&mixed).unwrap())).await, own_line == foreign_line);
    }
    assert!(serves(&url, &keys(&own)).await);

    let mut probe = HealthProbe::new(&url, &settings()).unwrap();
    assert!(probe.read_readiness(&keys(&own)).await.unwrap().foreign_keys.is_empty());
    // A probe that is connected notices another key ring, too.
    let all = ["audit.1", "pseudonym.1", "sealing.1", "verifier.1"];
    assert_eq!(probe.read_readiness(&keys(&foreign)).await.unwrap().foreign_keys, all);
}

#[sqlx::test]
async fn r26_keys_that_are_added_by_a_rotation_are_known_from_then_on(pool: PgPool) {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut one = new_ring();
    assert!(serves(&url, &keys(&one)).await);
    let mut two = RingFile::parse(&one.to_text()).unwrap();
    one.add(KeyPurpose::Sealing, false, &mut random::secure());
    two.add(KeyPurpose::Sealing, false, &mut random::secure());
    // Two operators have each added a key: the second one is refused.
    check_keys(&url, &settings(), &keys(&one)).await.unwrap();
    let refused = check_keys(&url, &settings(), &keys(&two)).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Internal(_)) && refused.to_string().contains(": sealing.2 differ"),
        "{refused}"
    );
    assert_eq!(compare_keys(&pool, &keys(&two)).await, Err(refused));
    assert!(!serves(&url, &keys(&two)).await);

    // Unless the first one is lost and the database shall forget it.
    assert_eq!(forget_key(&pool, "sealing", 2).await, Ok(true));
    assert_eq!(forget_key(&pool, "sealing", 2).await, Ok(false));
    assert!(serves(&url, &keys(&two)).await);
}

#[sqlx::test]
async fn r26_of_many_first_instances_with_different_rings_one_wins(_: PgPoolOptions, options: PgConnectOptions) {
    let url = options.to_url_lossy().to_string();
    let served = run_concurrently(8, |_| {
        let url = url.clone();
        let keys = keys(&new_ring());
        async move { check_keys(&url, &settings(), &keys).await.is_ok() }
    });
    assert_eq!(served.await.into_iter().filter(|is_ok| *is_ok).count(), 1);
}
