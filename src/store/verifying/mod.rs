//! VerifyIdentity: its runs, and the rounds of answers to its questions (R16, R18, R20, R21, R23).

pub mod answer_rounds;
pub mod history;
pub mod verifications;
