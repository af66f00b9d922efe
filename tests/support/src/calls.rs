//! Calls of the service. Every refusal is checked against what the contract promises about errors.

use std::time::Duration;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use rand::RngExt as _;
use temporary_pin::proto::temporarypin::v1::operator_service_client::OperatorServiceClient;
use temporary_pin::proto::temporarypin::v1::redemption_service_client::RedemptionServiceClient;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_client::TemporaryPinServiceClient;
use temporary_pin::proto::temporarypin::v1::verify_identity_request::Evidence;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, CheckEligibilityResponse, IssueTemporaryPinRequest, IssueTemporaryPinResponse,
    PersonReference, PinRequest, Reason, RedeemTemporaryPinRequest, RedeemTemporaryPinResponse, VerifyIdentityRequest,
    VerifyIdentityResponse,
};
use temporary_pin::random;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use crate::world::World;

/// Why a call was refused.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    pub reason: Reason,
    /// The time from which a repeat can succeed.
    pub until: Option<DateTime<Utc>>,
    pub details: Box<ErrorDetails>,
}

impl Refusal {
    /// Reads a status, and checks the details that the contract promises for every error.
    pub fn read(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "temporarypin", "{status:?}");
        let reason = Reason::from_str_name(&format!("REASON_{}", info.reason));
        let until = info.metadata.get("nextAttemptTime").map(|time| time.parse().unwrap());
        let has_retry_info = details.retry_info().is_some_and(|retry| retry.retry_delay.is_some());
        let reason = reason.unwrap_or_else(|| panic!("not in the contract: {status:?}"));
        match status.code() {
            Code::ResourceExhausted if reason == Reason::MessageTooLarge => {}
            Code::ResourceExhausted if reason == Reason::Overloaded => {
                assert!(has_retry_info, "{status:?}");
                assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1000");
            }
            Code::ResourceExhausted => {
                assert!(details.quota_failure().is_some_and(|quota| quota.violations.len() == 1), "{status:?}");
                assert!(has_retry_info && until.is_some(), "{status:?}");
            }
            Code::FailedPrecondition => assert!(details.has_precondition_failure_violations(), "{status:?}"),
            Code::Unavailable => assert!(has_retry_info, "{status:?}"),
            _ => {}
        }
        Self { code: status.code(), reason, until, details: Box::new(details) }
    }

    /// The names of the malformed fields, sorted.
    pub fn fields(&self) -> Vec<&str> {
        let violations = self.details.bad_request().map_or(&[][..], |request| &request.field_violations);
        let mut fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        fields.sort_unstable();
        fields
    }

    pub fn retry_delay(&self) -> Duration {
        self.details.retry_info().unwrap().retry_delay.unwrap()
    }

    /// Checks the code and the reason.
    #[track_caller]
    pub fn assert(&self, code: Code, reason: Reason) -> &Self {
        assert_eq!((self.code, self.reason), (code, reason), "{self:?}");
        self
    }

    #[track_caller]
    pub fn assert_precondition(&self, reason: Reason) -> &Self {
        self.assert(Code::FailedPrecondition, reason)
    }

    /// Checks that the reason is another running call for the person, and that the delay is short.
    #[track_caller]
    pub fn assert_busy(&self) {
        self.assert(Code::Unavailable, Reason::Busy);
        assert_eq!((self.retry_delay(), self.until), (Duration::from_millis(200), None));
    }

    #[track_caller]
    pub fn assert_limit(&self, reason: Reason) -> DateTime<Utc> {
        self.assert(Code::ResourceExhausted, reason).until.unwrap()
    }
}

pub type Answer<T> = Result<T, Refusal>;

impl World {
    pub async fn check_eligibility(&self, caller: &str, person: PersonReference) -> Answer<CheckEligibilityResponse> {
        let request = request_from(caller, CheckEligibilityRequest { person: Some(person) });
        answer(self.temporary_pin_service().check_eligibility(request).await)
    }

    pub async fn verify(&self, caller: &str, evidence: Evidence) -> Answer<VerifyIdentityResponse> {
        let request = VerifyIdentityRequest { evidence: Some(evidence), language: 0 };
        answer(self.temporary_pin_service().verify_identity(request_from(caller, request)).await)
    }

    pub async fn issue(&self, caller: &str, verification_id: &str) -> Answer<PinRequest> {
        self.issue_with_request_id(caller, verification_id, uuid()).await
    }

    /// Like [`Self::issue`], with a request id of the test's choice.
    pub async fn issue_with_request_id(
        &self,
        caller: &str,
        verification_id: &str,
        request_id: Uuid,
    ) -> Answer<PinRequest> {
        let request = IssueTemporaryPinRequest {
            request_id: request_id.to_string(),
            verification_id: verification_id.to_owned(),
            language: 0,
        };
        Ok(self.send_order(caller, request).await?.pin_request.unwrap())
    }

    pub async fn send_order(
        &self,
        caller: &str,
        request: IssueTemporaryPinRequest,
    ) -> Answer<IssueTemporaryPinResponse> {
        answer(self.temporary_pin_service().issue_temporary_pin(request_from(caller, request)).await)
    }

    pub async fn redeem(&self, person: PersonReference, pin: &str) -> Answer<RedeemTemporaryPinResponse> {
        self.redeem_with_request_id(person, pin, uuid()).await
    }

    /// Like [`Self::redeem`], with a request id of the test's choice.
    pub async fn redeem_with_request_id(
        &self,
        person: PersonReference,
        pin: &str,
        request_id: Uuid,
    ) -> Answer<RedeemTemporaryPinResponse> {
        let request =
            RedeemTemporaryPinRequest { request_id: request_id.to_string(), person: Some(person), pin: pin.to_owned() };
        answer(self.redemption_service().redeem_temporary_pin(request_from("redeemer", request)).await)
    }

    pub fn temporary_pin_service(&self) -> TemporaryPinServiceClient<tonic::transport::Channel> {
        TemporaryPinServiceClient::new(self.channel.clone())
    }

    pub fn operator_service(&self) -> OperatorServiceClient<tonic::transport::Channel> {
        OperatorServiceClient::new(self.channel.clone())
    }

    pub fn redemption_service(&self) -> RedemptionServiceClient<tonic::transport::Channel> {
        RedemptionServiceClient::new(self.channel.clone())
    }
}

/// A request of the caller. Refusals are in English.
pub fn request_from<T>(caller: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("accept-language", AsciiMetadataValue::from_static("en"));
    request.metadata_mut().insert("x-sandbox-caller", caller.parse::<AsciiMetadataValue>().unwrap());
    request
}

pub fn answer<T>(answer: Result<Response<T>, Status>) -> Answer<T> {
    answer.map(Response::into_inner).map_err(|status| Refusal::read(&status))
}

/// A random UUID.
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(random::secure().random()).into_uuid()
}

/// Converts a time that must be set.
#[track_caller]
pub fn time(timestamp: Option<Timestamp>) -> DateTime<Utc> {
    let timestamp = timestamp.unwrap();
    DateTime::from_timestamp(timestamp.seconds, timestamp.nanos.unsigned_abs()).unwrap()
}
