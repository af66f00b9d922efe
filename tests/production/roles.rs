//! The names in a certificate identify the caller, and the caller's roles decide which methods it may call.

use std::collections::BTreeMap;

use temporary_pin::proto::temporarypin::v1 as pb;
use temporary_pin::proto::temporarypin::v1::operator_service_client::OperatorServiceClient;
use temporary_pin::proto::temporarypin::v1::redemption_service_client::RedemptionServiceClient;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, CounterIdentification, IssueTemporaryPinRequest, PhoneIdentification, QuestionAnswers,
    Reason, RedeemTemporaryPinRequest, VerifyIdentityRequest, WebLogin,
};
use test_support::callers::CALLERS;
use test_support::calls::{Refusal, answer};
use test_support::installation::Installation;
use test_support::sandbox::Sandbox;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// Calls every method with an empty message, which is always refused. The refusals tell whether the caller was authorized.
async fn refusals(channel: &Channel) -> BTreeMap<&'static str, Refusal> {
    let mut pins = TemporaryPinServiceClient::new(channel.clone());
    let mut redemption = RedemptionServiceClient::new(channel.clone());
    let check = answer(pins.check_eligibility(CheckEligibilityRequest::default()).await).unwrap_err();
    let issue = answer(pins.issue_temporary_pin(IssueTemporaryPinRequest::default()).await).unwrap_err();
    let redeem = answer(redemption.redeem_temporary_pin(RedeemTemporaryPinRequest::default()).await).unwrap_err();
    let mut refusals = BTreeMap::from([("check", check), ("issue", issue), ("redeem", redeem)]);
    refusals.extend(operator_refusals(channel).await);
    for (name, evidence) in [
        ("verify by login", Evidence::WebLogin(WebLogin::default())),
        ("verify by phone", Evidence::PhoneIdentification(PhoneIdentification::default())),
        ("verify at the counter", Evidence::CounterIdentification(CounterIdentification::default())),
        ("verify by answers", Evidence::QuestionAnswers(QuestionAnswers::default())),
    ] {
        let request = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
        refusals.insert(name, answer(pins.verify_identity(request).await).unwrap_err());
    }
    refusals
}

const OPERATOR_METHODS: [&str; 11] = [
    "block person",
    "cancel access request",
    "get person block",
    "get pin request",
    "list access requests",
    "list audit events",
    "list limits",
    "list pin requests",
    "reset limit",
    "revoke temporary pin",
    "unblock person",
];

/// The refusals of the operators' methods.
async fn operator_refusals(channel: &Channel) -> BTreeMap<&'static str, Refusal> {
    let mut service = OperatorServiceClient::new(channel.clone());
    BTreeMap::from([
        (
            "list pin requests",
            answer(service.list_pin_requests(pb::ListPinRequestsRequest::default()).await).unwrap_err(),
        ),
        ("get pin request", answer(service.get_pin_request(pb::GetPinRequestRequest::default()).await).unwrap_err()),
        (
            "list access requests",
            answer(service.list_access_requests(pb::ListAccessRequestsRequest::default()).await).unwrap_err(),
        ),
        ("list limits", answer(service.list_limits(pb::ListLimitsRequest::default()).await).unwrap_err()),
        ("get person block", answer(service.get_person_block(pb::GetPersonBlockRequest::default()).await).unwrap_err()),
        (
            "list audit events",
            answer(service.list_audit_events(pb::ListAuditEventsRequest::default()).await).unwrap_err(),
        ),
        (
            "revoke temporary pin",
            answer(service.revoke_temporary_pin(pb::RevokeTemporaryPinRequest::default()).await).unwrap_err(),
        ),
        (
            "cancel access request",
            answer(service.cancel_access_request(pb::CancelAccessRequestRequest::default()).await).unwrap_err(),
        ),
        ("block person", answer(service.block_person(pb::BlockPersonRequest::default()).await).unwrap_err()),
        ("unblock person", answer(service.unblock_person(pb::UnblockPersonRequest::default()).await).unwrap_err()),
        ("reset limit", answer(service.reset_limit(pb::ResetLimitRequest::default()).await).unwrap_err()),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_its_methods_and_no_other_methods() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    for (caller, allowed) in [
        ("web", &["check", "issue", "verify by login"][..]),
        ("phone", &["check", "issue", "verify by answers", "verify by phone"]),
        ("counter", &["check", "issue", "verify at the counter", "verify by answers"]),
        ("redeemer", &["redeem"]),
        ("operator", &OPERATOR_METHODS),
        ("both", &["check", "issue", "redeem", "verify by answers", "verify by phone"]),
    ] {
        let mut reached = Vec::new();
        for (call, refusal) in refusals(&process.connect_as(caller)).await {
            if refusal.code == Code::PermissionDenied {
                refusal.assert(Code::PermissionDenied, Reason::CallerNotAllowed);
            } else {
                refusal.assert(Code::InvalidArgument, Reason::InvalidField);
                reached.push(call);
            }
        }
        assert_eq!(reached, allowed, "{caller}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_name_that_is_not_configured_identifies_no_caller() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    for names in [
        &["spiffe://example.dk/unknown-caller"][..],
        &["spiffe://example.dk/profile-page/x"],
        &["sub.support.example.dk"],
        // The name of a caller, but as a URI and not a DNS name.
        &["spiffe://support.example.dk"],
        &[],
    ] {
        let channel = process.connect_with_certificate(Some(&installation.authority.sign(names)));
        for (call, refusal) in refusals(&channel).await {
            assert_eq!(
                (refusal.code, refusal.reason),
                (Code::Unauthenticated, Reason::CallerUnknown),
                "{names:?}: {call}"
            );
        }
        // Health is open, for load balancers.
        HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_with_names_of_two_callers_identifies_no_caller() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    // Two names of the same caller identify it.
    let channel = process.connect_with_certificate(Some(&installation.authority.sign(CALLERS[2].1)));
    assert_eq!(refusals(&channel).await["check"].code, Code::InvalidArgument);
    for (first, second) in [(0, 1), (1, 0), (0, 3), (3, 5)] {
        let names = [CALLERS[first].1[0], "unknown.example.dk", CALLERS[second].1[0]];
        let channel = process.connect_with_certificate(Some(&installation.authority.sign(&names)));
        for (call, refusal) in refusals(&channel).await {
            assert_eq!(
                (refusal.code, refusal.reason),
                (Code::Unauthenticated, Reason::CallerUnknown),
                "{names:?}: {call}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_in_a_certificate_are_ignored() {
    let sandbox = Sandbox::start(&[]);
    let installation = Installation::new(&sandbox).await;
    let process = installation.start().await;
    for (caller, names, _) in CALLERS {
        for name in names {
            let channel =
                process.connect_with_certificate(Some(&installation.authority.sign(&["unknown.example.dk", name])));
            let unknown = refusals(&channel).await.values().any(|refusal| refusal.code == Code::Unauthenticated);
            assert!(!unknown, "{caller} as {name}");
        }
    }
}
