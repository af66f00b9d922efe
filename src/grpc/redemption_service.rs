//! `temporarypin.v1.RedemptionService`: the interface for the MitID authenticator core.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use super::convert::{self, Violations};
use super::service_context::ServiceContext;
use crate::issuance::RedeemOrder;
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::redemption_service_server::RedemptionService;

/// Handles the calls of the authenticator core.
pub(super) struct RedemptionHandler(pub(super) Arc<ServiceContext>);

#[tonic::async_trait]
impl RedemptionService for RedemptionHandler {
    async fn redeem_temporary_pin(
        &self,
        request: Request<pb::RedeemTemporaryPinRequest>,
    ) -> Result<Response<pb::RedeemTemporaryPinResponse>, Status> {
        let (caller, now) = self.0.start_call(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let request_id = violations.parse_uuid("request_id", &request.request_id);
        let person = convert::parse_person(&mut violations, "person", request.person);
        let pin = violations.parse_pin("pin", &Zeroizing::new(request.pin));
        let ((request_id, person), pin) = violations.into_result(request_id.zip(person).zip(pin))?;

        let issuance = self.0.issuance();
        let order = RedeemOrder { caller: caller.name, request_id, person, pin };
        let use_case = async move {
            let outcome = issuance.redeem_temporary_pin(&order, now).await?;
            Ok(convert::redemption_to_proto(&outcome))
        };
        self.0.run_use_case(now, use_case).await
    }
}
