//! Sealing the audit: encoding and digesting every row, and signing the batch.

use std::hint::black_box;

use chrono::DateTime;
use criterion::{Criterion, Throughput};
use temporary_pin::audit;
use temporary_pin::store::audit::sealed_events::AuditRows;
use uuid::Uuid;

pub(crate) fn measure(criterion: &mut Criterion) {
    let keys = crate::key_ring();
    let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
    let event = |id| AuditRows {
        id,
        event_time: now,
        person_key: vec![1; 32],
        action: "pin_issued".to_owned(),
        channel: Some("phone".to_owned()),
        caller: "phone".to_owned(),
        reason: None,
        verification_id: Some(Uuid::from_u128(1)),
        access_request_id: None,
        pin_request_id: Some(Uuid::from_u128(2)),
        purpose: None,
        pseudonym_key_id: 1,
        agent_key: Some(vec![2; 32]),
        operator: None,
    };
    let mut group = criterion.benchmark_group("audit");
    for count in [1, 1000] {
        let events: Vec<AuditRows> = (1..=count).map(event).collect();
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(format!("seal {count}"), |bencher| {
            bencher.iter(|| audit::make_seal(&keys, None, black_box(&events), count, Some(now), now));
        });
    }
    group.finish();
}
