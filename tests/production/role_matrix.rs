//! Calls each RPC with each development certificate: a caller reaches exactly the methods of its role.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use temporary_pin::proto::DESCRIPTOR_SET;
use temporary_pin::proto::temporarypin::v1::Reason;
use test_support::calls::Refusal;
use test_support::sandbox::Sandbox;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;

/// The callers that may call each method.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("temporarypin.v1.TemporaryPinService/CheckEligibility", CHANNELS),
    ("temporarypin.v1.TemporaryPinService/VerifyIdentity", CHANNELS),
    ("temporarypin.v1.TemporaryPinService/IssueTemporaryPin", CHANNELS),
    ("temporarypin.v1.RedemptionService/RedeemTemporaryPin", &["redeemer"]),
    ("temporarypin.v1.OperatorService/ListPinRequests", &["operator"]),
    ("temporarypin.v1.OperatorService/GetPinRequest", &["operator"]),
    ("temporarypin.v1.OperatorService/ListAccessRequests", &["operator"]),
    ("temporarypin.v1.OperatorService/ListLimits", &["operator"]),
    ("temporarypin.v1.OperatorService/GetPersonBlock", &["operator"]),
    ("temporarypin.v1.OperatorService/ListAuditEvents", &["operator"]),
    ("temporarypin.v1.OperatorService/RevokeTemporaryPin", &["operator"]),
    ("temporarypin.v1.OperatorService/CancelAccessRequest", &["operator"]),
    ("temporarypin.v1.OperatorService/BlockPerson", &["operator"]),
    ("temporarypin.v1.OperatorService/UnblockPerson", &["operator"]),
    ("temporarypin.v1.OperatorService/ResetLimit", &["operator"]),
];

const CHANNELS: &[&str] = &["web", "phone", "counter"];

const CALLERS: [&str; 5] = ["web", "phone", "counter", "redeemer", "operator"];

/// Every RPC of the contract.
fn methods() -> BTreeSet<String> {
    let contract = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
    let files = contract.file.iter().filter(|file| file.package() == "temporarypin.v1");
    files
        .flat_map(|file| &file.service)
        .flat_map(|service| {
            service.method.iter().map(|method| format!("temporarypin.v1.{}/{}", service.name(), method.name()))
        })
        .collect()
}

/// Calls a method with an empty message, which is always refused. The refusal tells whether the caller was authorized.
/// `claimed_caller` is the caller in the metadata.
async fn refusal(channel: &Channel, method: &str, claimed_caller: Option<&str>) -> Status {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(caller) = claimed_caller {
        request.metadata_mut().insert("x-sandbox-caller", caller.parse().unwrap());
    }
    let path = format!("/{method}").try_into().unwrap();
    client.unary(request, path, ProstCodec::<(), ()>::default()).await.unwrap_err()
}

/// Whether the caller was authorized: then the empty message is refused, otherwise the caller.
fn is_authorized(status: &Status, method: &str) -> bool {
    let refusal = Refusal::read(status);
    if refusal.code == Code::InvalidArgument {
        return true;
    }
    assert_eq!((refusal.code, refusal.reason), (Code::PermissionDenied, Reason::CallerNotAllowed), "{method}");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_exactly_its_methods() {
    let allowed = BTreeMap::from(ALLOWED);
    let methods = methods();
    assert_eq!(methods, allowed.keys().map(|method| String::from(*method)).collect(), "ALLOWED has a row for each RPC");
    let sandbox = Sandbox::start(&[]);
    for caller in CALLERS {
        let channel = sandbox.connect_as(caller).await;
        for method in &methods {
            // On this port, a caller in the metadata is ignored.
            for claimed_caller in [None, Some("web"), Some("redeemer"), Some("operator")] {
                let status = refusal(&channel, method, claimed_caller).await;
                let expected = allowed[method.as_str()].contains(&caller);
                assert_eq!(is_authorized(&status, method), expected, "{caller}, claimed {claimed_caller:?}: {method}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_port_ignores_a_caller_in_metadata() {
    let sandbox = Sandbox::start(&[]);
    let tls_config = sandbox.tls().await;
    let tls = Endpoint::from_shared(format!("https://{}", sandbox.tls_address)).unwrap();
    let without_certificate = tls.tls_config(tls_config).unwrap().connect_lazy();
    let plaintext = Endpoint::from_shared(format!("http://{}", sandbox.tls_address)).unwrap().connect_lazy();
    for channel in [without_certificate, plaintext] {
        HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap_err();
    }
    // The plaintext port accepts a caller in the metadata, and identifies callers by nothing else.
    let channel = Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy();
    let method = ALLOWED[0].0;
    assert!(is_authorized(&refusal(&channel, method, Some("web")).await, method));
    let unknown = Refusal::read(&refusal(&channel, method, None).await);
    assert_eq!((unknown.code, unknown.reason), (Code::Unauthenticated, Reason::CallerUnknown));
}
