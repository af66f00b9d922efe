//! `temporarypin.v1.RedemptionService`: the interface of the MitID authenticator core.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

use super::convert::{self, Violations};
use super::{Context, answered};
use crate::issuance::RedeemOrder;
use crate::proto::temporarypin::v1 as pb;
use crate::proto::temporarypin::v1::redemption_service_server::RedemptionService;

/// Serves the authenticator core.
pub(super) struct Redeem(pub(super) Arc<Context>);

#[tonic::async_trait]
impl RedemptionService for Redeem {
    async fn redeem_temporary_pin(
        &self,
        request: Request<pb::RedeemTemporaryPinRequest>,
    ) -> Result<Response<pb::RedeemTemporaryPinResponse>, Status> {
        let (caller, now) = self.0.enter(&request)?;
        let request = request.into_inner();
        let mut violations = Violations::default();
        let request_id = violations.uuid("request_id", &request.request_id);
        let person = convert::person(&mut violations, "person", request.person);
        let pin = violations.pin("pin", &Zeroizing::new(request.pin));
        let ((request_id, person), pin) = violations.finish(request_id.zip(person).zip(pin))?;

        let issuance = self.0.issuance();
        let attempt = RedeemOrder { caller: caller.name, request_id, person, pin };
        answered(&self.0, now, async move {
            let redemption = issuance.redeem_temporary_pin(&attempt, now).await?;
            Ok(convert::redemption(&redemption))
        })
        .await
    }
}
