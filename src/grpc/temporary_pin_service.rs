//! `temporarypin.v1.TemporaryPinService`: the interface for channels.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status};

use super::convert::{self, Violations};
use super::localization::note_language;
use super::service_context::ServiceContext;
use super::status;
use crate::issuance::{CallContext, IssueOrder};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::temporary_pin_service_server::TemporaryPinService;

/// Handles the calls of channels.
pub(super) struct TemporaryPinHandler(pub(super) Arc<ServiceContext>);

#[tonic::async_trait]
impl TemporaryPinService for TemporaryPinHandler {
    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Result<Response<pb::CheckEligibilityResponse>, Status> {
        let (call, _cancel_on_drop) = self.start_channel_call(&request)?;
        let mut violations = Violations::default();
        let person = convert::parse_person(&mut violations, "person", request.into_inner().person);
        let person = violations.into_result(person)?;

        let (issuance, now) = (self.0.issuance(), call.now);
        let use_case = async move {
            let eligibility = issuance.check_eligibility(&call, &person).await?;
            Ok(convert::eligibility_to_proto(&eligibility, call.channel, now))
        };
        self.0.run_use_case(now, use_case).await
    }

    async fn verify_identity(
        &self,
        request: Request<pb::VerifyIdentityRequest>,
    ) -> Result<Response<pb::VerifyIdentityResponse>, Status> {
        note_language(&request, request.get_ref().language);
        let (call, _cancel_on_drop) = self.start_channel_call(&request)?;
        let request = request.into_inner();
        if !convert::is_evidence_allowed(request.evidence.as_ref(), call.channel) {
            return Err(status::caller_not_allowed());
        }
        let mut violations = Violations::default();
        let language = violations.parse_language("language", request.language);
        let evidence = convert::parse_evidence(&mut violations, request.evidence);
        let (evidence, language) = violations.into_result(evidence.zip(language))?;

        let (issuance, now) = (self.0.issuance(), call.now);
        let dependencies = Arc::clone(&self.0.dependencies);
        let use_case = async move {
            let verification = issuance.verify_identity(&call, evidence, language).await?;
            Ok(convert::verification_to_proto(verification, &dependencies.texts, now))
        };
        self.0.run_use_case(now, use_case).await
    }

    async fn issue_temporary_pin(
        &self,
        request: Request<pb::IssueTemporaryPinRequest>,
    ) -> Result<Response<pb::IssueTemporaryPinResponse>, Status> {
        note_language(&request, request.get_ref().language);
        let (call, _cancel_on_drop) = self.start_channel_call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let request_id = violations.parse_uuid("request_id", &request.request_id);
        let verification_id = violations.parse_verification_id("verification_id", request.verification_id);
        let language = violations.parse_language("language", request.language);
        let fields = request_id.zip(verification_id).zip(language);
        let ((request_id, verification_id), language) = violations.into_result(fields)?;

        let (issuance, now) = (self.0.issuance(), call.now);
        let order = IssueOrder { request_id, verification_id, language };
        let use_case = async move {
            let pin_request = issuance.issue_temporary_pin(&call, &order).await?;
            Ok(pb::IssueTemporaryPinResponse { pin_request: Some(convert::pin_request_to_proto(&pin_request)) })
        };
        self.0.run_use_case(now, use_case).await
    }
}

impl TemporaryPinHandler {
    /// Starts a call of a channel: returns its context, or CALLER_NOT_ALLOWED if the caller has no channel role.
    ///
    /// The returned `DropGuard` must be kept in a variable until the handler ends: when tonic drops the handler because the
    /// caller has disconnected, the `DropGuard` cancels `CallContext::gone`, and the use case sees it.
    fn start_channel_call<T>(&self, request: &Request<T>) -> Result<(CallContext, DropGuard), Status> {
        let (caller, now) = self.0.start_call(request)?;
        let channel = caller.channel().ok_or_else(status::caller_not_allowed)?;
        let gone = CancellationToken::new();
        let cancel_on_drop = gone.clone().drop_guard();
        Ok((CallContext { caller: caller.name, channel, now, gone }, cancel_on_drop))
    }
}
