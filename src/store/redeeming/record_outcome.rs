//! Records the outcome of a try.

use sqlx::PgTransaction;
use sqlx::types::Json;
use uuid::Uuid;

use super::RedemptionTry;
use crate::domain::audit::Action;
use crate::domain::redemption::RedeemOutcome;

/// What is recorded beside the outcome.
pub(super) struct Recording {
    /// Whether the PIN was right. `None`: it was not compared.
    pub is_right: Option<bool>,
    /// The PIN that the try was counted on.
    pub tried_pin: Option<Uuid>,
    /// The person's open PIN, which the outcome may end.
    pub open_pin: Option<Uuid>,
}

impl Recording {
    pub(super) fn without_try(open_pin: Option<Uuid>) -> Self {
        Self { is_right: None, tried_pin: None, open_pin }
    }
}

/// Records the outcome. `false`: another call has answered the same request id.
pub(super) async fn record_outcome(
    transaction: &mut PgTransaction<'_>,
    redemption: &RedemptionTry<'_>,
    outcome: RedeemOutcome,
    recording: Recording,
) -> Result<bool, sqlx::Error> {
    let Recording { is_right, tried_pin, open_pin } = recording;
    // What the outcome makes of the open PIN, and why.
    let (action, closed_pin, state, revoke_reason) = match outcome {
        RedeemOutcome::Redeemed => (Action::PinRedeemed, open_pin, Some("redeemed"), None),
        RedeemOutcome::Revoked if open_pin.is_some() => {
            (Action::PinRevoked, open_pin, Some("revoked"), Some("wrong_tries"))
        }
        RedeemOutcome::BudgetExhausted { .. } if open_pin.is_some() => {
            (Action::PinRevoked, open_pin, Some("revoked"), Some("wrong_try_budget"))
        }
        _ => (Action::PinRefused, None, None, None),
    };
    let audit_reason = if closed_pin.is_some() { revoke_reason } else { Some(outcome.as_str()) };
    sqlx::query_file_scalar!(
        "src/store/redeeming/record_outcome.sql",
        redemption.caller,
        redemption.request_id,
        &redemption.payload_digest,
        Json(outcome) as _,
        redemption.now,
        is_right,
        closed_pin,
        state,
        revoke_reason,
        &redemption.person.0,
        action.as_str(),
        audit_reason,
        tried_pin.or(closed_pin),
    )
    .fetch_one(&mut **transaction)
    .await
}
