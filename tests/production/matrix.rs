//! Each development certificate at each RPC that there is: exactly what its role is for gets through.

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

/// Who may call what.
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
    let ours = contract.file.iter().filter(|file| file.package() == "temporarypin.v1");
    ours.flat_map(|file| &file.service)
        .flat_map(|service| {
            service.method.iter().map(|method| format!("temporarypin.v1.{}/{}", service.name(), method.name()))
        })
        .collect()
}

/// What a call with an empty request is refused with. None goes well, but some get as far as to the request.
async fn refusal(channel: &Channel, method: &str, says: Option<&str>) -> Status {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(caller) = says {
        request.metadata_mut().insert("x-sandbox-caller", caller.parse().unwrap());
    }
    let path = format!("/{method}").try_into().unwrap();
    client.unary(request, path, ProstCodec::<(), ()>::default()).await.unwrap_err()
}

/// Whether the call was let through; what was not says so.
fn passed(status: &Status, method: &str) -> bool {
    let refusal = Refusal::read(status);
    if refusal.code == Code::InvalidArgument {
        return true;
    }
    assert_eq!((refusal.code, refusal.reason), (Code::PermissionDenied, Reason::CallerNotAllowed), "{method}");
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_exactly_what_it_is_for() {
    let allowed = BTreeMap::from(ALLOWED);
    let methods = methods();
    assert_eq!(methods, allowed.keys().map(|method| String::from(*method)).collect(), "each RPC has its row");
    let sandbox = Sandbox::start(&[]);
    for caller in CALLERS {
        let channel = sandbox.caller(caller).await;
        for method in &methods {
            // On this port metadata names nobody.
            for says in [None, Some("web"), Some("redeemer"), Some("operator")] {
                let status = refusal(&channel, method, says).await;
                let expected = allowed[method.as_str()].contains(&caller);
                assert_eq!(passed(&status, method), expected, "{caller}, who says {says:?}: {method}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_port_takes_nobodys_word() {
    let sandbox = Sandbox::start(&[]);
    let trusting = sandbox.tls().await;
    let tls = Endpoint::from_shared(format!("https://{}", sandbox.tls_address)).unwrap();
    let without_certificate = tls.tls_config(trusting).unwrap().connect_lazy();
    let plaintext = Endpoint::from_shared(format!("http://{}", sandbox.tls_address)).unwrap().connect_lazy();
    for channel in [without_certificate, plaintext] {
        HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap_err();
    }
    // While the other port takes it, and knows nothing else.
    let channel = Endpoint::from_shared(sandbox.grpc_url.clone()).unwrap().connect_lazy();
    let method = ALLOWED[0].0;
    assert!(passed(&refusal(&channel, method, Some("web")).await, method));
    let unknown = Refusal::read(&refusal(&channel, method, None).await);
    assert_eq!((unknown.code, unknown.reason), (Code::Unauthenticated, Reason::CallerUnknown));
}
