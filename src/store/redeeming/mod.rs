//! RedeemTemporaryPin (R2, R3, R4).

mod redeem_temporary_pin;

pub use redeem_temporary_pin::{
    CountedTry, RedeemOutcome, RedemptionTry, TryRefusal, TryResult, TryStart, begin_try, finish_try,
};
