//! What the use cases share.

use std::sync::Arc;

use rand::Rng;
use sqlx::PgPool;
use tokio::sync::Notify;

use super::person_turns::PersonTurns;
use crate::domain::person::MitidUuid;
use crate::domain::rule_settings::Rules;
use crate::guard::Guard;
use crate::login::IdTokenVerifier;
use crate::register::Register;
use crate::store::eligibility::PersonStatusReader;
use crate::store::issuing::PinIssuer;
use crate::store::messages::local_handovers::LocalHandovers;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

/// The connections and settings that the use cases share. `server::assemble` makes them once per process.
pub struct Dependencies {
    /// The connections to Postgres.
    pub store: PgPool,
    /// Groups concurrent orders for PINs into one statement.
    pub pin_issuer: PinIssuer,
    /// Groups concurrent reads of person status into one statement.
    pub person_status: PersonStatusReader,
    /// The connection to Redis.
    pub guard: Guard,
    /// The client of the identity register.
    pub register: Register,
    /// Checks the ID tokens of persons.
    pub web_login: IdTokenVerifier,
    /// Checks the ID tokens of agents.
    pub agent_login: IdTokenVerifier,
    /// The texts of the SMS.
    pub texts: Texts,
    /// The figures of the rules.
    pub rules: Rules,
    /// The randomness for drawing questions.
    pub question_draws: Arc<QuestionDraws>,
    /// The metrics.
    pub metrics: Metrics,
    /// Lets the calls of one person that spend a limit run one after another.
    pub person_turns: PersonTurns,
    /// Gives the dispatcher the SMS of new PINs.
    pub local_handovers: LocalHandovers,
    /// Wakes the dispatcher when an SMS is ready to be sent.
    pub dispatcher_wake: Arc<Notify>,
}

/// Makes the random number generator that draws the questions of one person (R16). Only questions use it: PINs, keys,
/// nonces and ids always come from [`secure`](crate::random::secure).
pub type QuestionDraws = dyn Fn(MitidUuid) -> Box<dyn Rng> + Send + Sync;
