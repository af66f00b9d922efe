//! The service in the test's own process, so that a test can poll its calls itself.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::config::Role;
use temporary_pin::domain::channel::Channel;
use temporary_pin::domain::person::{MitidUuid, PersonKey};
use temporary_pin::domain::rule_settings::Limit;
use temporary_pin::grpc::authentication::{Caller, CallerResolver};
use temporary_pin::guard::{Bucket, GuardDecision, Spend};
use temporary_pin::issuance::{CallContext, Dependencies, Issuance};
use temporary_pin::keys::KeyRing;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::{grpc, random, server};
use test_support::calls::uuid;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::process::Process;
use test_support::world::{World, wait_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

/// The use cases of an installation, in the test's own process.
pub(crate) struct InProcessService<'a> {
    pub(crate) world: World,
    installation: &'a Installation,
    pub(crate) issuance: Issuance,
    dependencies: Arc<Dependencies>,
    keys: Arc<ArcSwap<KeyRing>>,
    _process: Process<'a>,
}

/// Makes the phone channel the caller.
struct PhoneCaller;

impl CallerResolver for PhoneCaller {
    fn resolve(&self, _: &HeaderMap) -> Option<Caller> {
        Some(Caller { name: "phone".into(), roles: vec![Role::Channel(Channel::Phone)] })
    }
}

/// Adds the caller to a request, as the server does for each connection.
fn add_phone_caller(mut request: Request<()>) -> Result<Request<()>, Status> {
    let callers: Arc<dyn CallerResolver> = Arc::new(PhoneCaller);
    request.extensions_mut().insert(callers);
    Ok(request)
}

/// A client that calls the service directly, without a connection.
pub(crate) type Client =
    TemporaryPinServiceClient<InterceptedService<Routes, fn(Request<()>) -> Result<Request<()>, Status>>>;

impl<'a> InProcessService<'a> {
    /// Starts the service beside a running process, which verifies persons and sends the SMS.
    pub(crate) async fn start(mut world: World, installation: &'a Installation) -> Self {
        let process = installation.start().await;
        world.channel = process.connect_as("phone");
        let draws = Arc::new(|_| Box::new(random::secure()) as _);
        let parts = server::assemble(&installation.config(), Arc::new(SystemClock), draws).await.unwrap();
        let dependencies = parts.dependencies;
        let issuance = Issuance::new(Arc::clone(&dependencies), parts.keys.load_full());
        Self { world, installation, issuance, dependencies, keys: parts.keys, _process: process }
    }

    /// A client of the gRPC service in front of the use cases, and the tracker of its running use cases.
    pub(crate) async fn client(&self, max_calls: usize, message_limit: usize) -> (Client, TaskTracker) {
        let calls = TaskTracker::new();
        let context = grpc::ServiceContext {
            dependencies: Arc::clone(&self.dependencies),
            keys: Arc::clone(&self.keys),
            clock: Arc::new(SystemClock),
            calls: calls.clone(),
            message_limit,
        };
        let settings = grpc::EdgeSettings { default_deadline: Duration::from_secs(10), max_calls, reflection: false };
        let metrics = self.dependencies.metrics.clone();
        let (routes, _) = grpc::routes(Arc::new(context), metrics, settings).await.unwrap();
        (TemporaryPinServiceClient::with_interceptor(routes, add_phone_caller), calls)
    }

    pub(crate) fn call(&self) -> CallContext {
        CallContext { caller: "phone".into(), channel: Channel::Phone, now: now(), gone: CancellationToken::new() }
    }

    pub(crate) fn key(&self, person: &Person) -> PersonKey {
        let uuid = person.0["mitid_uuid"].as_str().unwrap().parse().unwrap();
        self.keys.load().person_key(MitidUuid(uuid))
    }

    /// How much of a limit has been spent.
    pub(crate) async fn spent(&self, bucket: Bucket<'_>) -> u32 {
        for times in 0.. {
            let limit = Limit { times: times + 1, per: Duration::from_secs(24 * 3600) };
            let spend = Spend { bucket, limit, id: uuid() };
            if self.dependencies.guard.peek(&[spend], now()).await.unwrap() == GuardDecision::Allowed {
                return times;
            }
        }
        unreachable!("some limit is higher than what is spent")
    }

    /// Checks that each order is recorded completely or not at all. Returns the number of orders.
    pub(crate) async fn count_recorded_orders(&self) -> i64 {
        count_recorded_orders(&mut self.database().await).await
    }

    pub(crate) async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.installation.database_url()).await.unwrap()
    }

    /// Waits until no SMS is queued, and returns the texts on the phone.
    pub(crate) async fn texts(&self, person: &Person) -> Vec<String> {
        let sent = async || self.installation.count("outbox WHERE state = 'queued'").await == 0;
        wait_until("no SMS is queued", sent).await;
        let messages = self.world.sandbox.get(&format!("/phones/{}/messages", person.mobile_number())).await;
        messages
            .as_array()
            .unwrap()
            .iter()
            .map(|message: &Value| message["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

/// Checks that each order is recorded completely or not at all. Returns the number of orders.
pub(crate) async fn count_recorded_orders(database: &mut PgConnection) -> i64 {
    // UNION drops duplicates: one row is left if all these counts are equal.
    let counts: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FROM pin_requests UNION SELECT count(*) FROM outbox
        UNION SELECT count(*) FROM requests WHERE method = 'IssueTemporaryPin'
        UNION SELECT count(*) FROM verifications WHERE pin_request_id IS NOT NULL
        UNION SELECT count(*) FROM audit_events WHERE action = 'pin_issued'",
    )
    .fetch_all(database)
    .await
    .unwrap();
    assert_eq!(counts.len(), 1, "{counts:?}");
    counts[0]
}
