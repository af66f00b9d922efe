//! `temporarypin.v1.TemporaryPinService`: the channels' interface.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status};

use super::convert::{self, Violations};
use super::{Context, answered, localize, status};
use crate::issuance::{CallContext, IssueOrder};
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::temporary_pin_service_server::TemporaryPinService;

/// Serves the three RPCs of the channels.
pub(super) struct TemporaryPin(pub(super) Arc<Context>);

#[tonic::async_trait]
impl TemporaryPinService for TemporaryPin {
    async fn check_eligibility(
        &self,
        request: Request<pb::CheckEligibilityRequest>,
    ) -> Result<Response<pb::CheckEligibilityResponse>, Status> {
        let (call, _waiting) = self.call(&request)?;
        let mut violations = Violations::default();
        let person = convert::person(&mut violations, "person", request.into_inner().person);
        let person = violations.finish(person)?;

        let issuance = self.0.issuance();
        answered(&self.0, call.now, async move {
            let eligibility = issuance.check_eligibility(&call, &person).await?;
            Ok(convert::eligibility(&eligibility, call.channel, call.now))
        })
        .await
    }

    async fn verify_identity(
        &self,
        request: Request<pb::VerifyIdentityRequest>,
    ) -> Result<Response<pb::VerifyIdentityResponse>, Status> {
        localize::prefer(&request, request.get_ref().language);
        let (call, _waiting) = self.call(&request)?;
        let request = request.into_inner();
        if !convert::evidence_fits(request.evidence.as_ref(), call.channel) {
            return Err(status::caller_not_allowed());
        }
        let mut violations = Violations::default();
        let language = violations.language("language", request.language);
        let evidence = convert::evidence(&mut violations, request.evidence);
        let (evidence, language) = violations.finish(evidence.zip(language))?;

        let issuance = self.0.issuance();
        answered(&self.0, call.now, async move {
            let verification = issuance.verify_identity(&call, evidence, language).await?;
            Ok(convert::verification(verification, &issuance.texts, call.now))
        })
        .await
    }

    async fn issue_temporary_pin(
        &self,
        request: Request<pb::IssueTemporaryPinRequest>,
    ) -> Result<Response<pb::IssueTemporaryPinResponse>, Status> {
        localize::prefer(&request, request.get_ref().language);
        let (call, _waiting) = self.call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let request_id = violations.uuid("request_id", &request.request_id);
        let verification_id = violations.verification_id("verification_id", request.verification_id);
        let language = violations.language("language", request.language);
        let order = request_id.zip(verification_id).zip(language);
        let ((request_id, verification_id), language) = violations.finish(order)?;

        let issuance = self.0.issuance();
        let order = IssueOrder { request_id, verification_id, language };
        answered(&self.0, call.now, async move {
            let view = issuance.issue_temporary_pin(&call, &order).await?;
            Ok(pb::IssueTemporaryPinResponse { pin_request: Some(convert::pin_request(&view)) })
        })
        .await
    }
}

impl TemporaryPin {
    /// Who calls, from which channel, at what time. The guard is to be held while the caller waits.
    fn call<T>(&self, request: &Request<T>) -> Result<(CallContext, DropGuard), Status> {
        let (caller, now) = self.0.enter(request)?;
        let channel = caller.channel().ok_or_else(status::caller_not_allowed)?;
        let gone = CancellationToken::new();
        let waiting = gone.clone().drop_guard();
        Ok((CallContext { caller: caller.name, channel, now, gone }, waiting))
    }
}
