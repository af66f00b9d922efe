//! The content of Redis: pseudonyms, names of callers, ids and times, and nothing else.

use temporary_pin::domain::channel::Channel;
use temporary_pin::guard::Bucket;

use crate::fixture::{GuardFixture, agent, at, hold, id, limit, mobile, person, spend};

/// The id of every spend in the test.
const SPEND_ID: u128 = 7;

#[tokio::test]
async fn keys_and_values_contain_only_pseudonyms_caller_names_ids_and_times() {
    let mut fixture = GuardFixture::new().await;
    let (person, mobile, agent) = (person(), mobile(), agent());
    let buckets = [
        Bucket::WrongTries(person),
        Bucket::FailedVerifications(person, Channel::Phone),
        Bucket::PersonPins(person),
        Bucket::MobilePins(mobile),
        Bucket::AgentVerifications(agent),
        Bucket::AgentPins(agent),
        Bucket::ServicePins,
        Bucket::CallerCalls("support-desk"),
    ];
    let _ = fixture.check_and_spend(&buckets.map(|bucket| spend(bucket, limit(3, 1000), SPEND_ID)), at(0)).await;
    fixture.guard.remember_hold(person, &hold(at(0)), at(0)).await.unwrap();

    let hex = |bytes: [u8; 32]| bytes.map(|byte| format!("{byte:02x}")).concat();
    let (person, mobile, agent) = (hex(person.0), hex(mobile.0), hex(agent.0));
    let mut expected = [
        format!("{{person:{person}}}:wrong-tries"),
        format!("{{person:{person}}}:failed-verifications-phone"),
        format!("{{person:{person}}}:pins"),
        format!("{{person:{person}}}:hold"),
        format!("{{mobile:{mobile}}}:pins"),
        format!("{{agent:{agent}}}:verifications"),
        format!("{{agent:{agent}}}:pins"),
        "{service}:pins".to_owned(),
        "{caller:support-desk}:calls".to_owned(),
    ]
    .map(|key| format!("{}:{key}", fixture.prefix));
    expected.sort();
    let keys = fixture.keys().await;
    assert_eq!(keys, expected);

    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut fixture.redis).await.unwrap();
        if kind == "zset" {
            let members: Vec<String> =
                redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).query_async(&mut fixture.redis).await.unwrap();
            assert_eq!(members, [id(SPEND_ID).to_string()]);
        } else {
            let value: String = redis::cmd("GET").arg(&key).query_async(&mut fixture.redis).await.unwrap();
            assert!(value.bytes().all(|byte| byte.is_ascii_digit() || byte == b' '), "{key}: {value}");
        }
        assert!(fixture.expires_in(&key).await > 0, "{key} must expire");
    }
}
