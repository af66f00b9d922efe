//! Makes the parts from the configuration.

use std::sync::Arc;

use anyhow::Context as _;
use opentelemetry::global;
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;

use crate::audit::Sealer;
use crate::clock::Clock;
use crate::config::Config;
use crate::guard::Guard;
use crate::issuance::{Issuance, QuestionDraws};
use crate::login::IdTokens;
use crate::register::Register;
use crate::sms::dispatcher::Dispatcher;
use crate::sms::gateway_api::GatewayApi;
use crate::store;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

/// The parts that run.
pub struct Parts {
    /// The use cases.
    pub issuance: Arc<Issuance>,
    /// What sends the SMS.
    pub dispatcher: Dispatcher<GatewayApi>,
    /// What seals the audit.
    pub sealer: Sealer,
    /// What is counted.
    pub metrics: Metrics,
}

/// Connects to everything. What is down now is no error: the service then reports NOT_SERVING until it is up.
pub async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    question_draws: Arc<QuestionDraws>,
) -> anyhow::Result<Parts> {
    let keys = Arc::new(config.key_ring()?);
    let store = store::connect(config.postgres.url.expose_secret(), &config.postgres.pool).context("postgres.url")?;
    let redis = &config.redis;
    let guard =
        Guard::connect(redis.url.expose_secret(), &redis.key_prefix, redis.timeout).await.context("redis.url")?;
    let http = reqwest::Client::builder().user_agent(env!("CARGO_PKG_NAME")).build()?;
    let metrics = Metrics::new(&global::meter(env!("CARGO_PKG_NAME")));
    let gateway = &config.sms.gateway;
    let url = gateway.url.parse().context("sms.gateway.url")?;
    let dispatcher = Dispatcher {
        pool: store.clone(),
        keys: Arc::clone(&keys),
        gateway: GatewayApi::new(url, gateway.token.clone(), gateway.sender.clone(), gateway.timeout)?,
        clock: Arc::clone(&clock),
        settings: config.sms.dispatcher.clone(),
        metrics: metrics.clone(),
    };
    let sealer = Sealer::new(store.clone(), Arc::clone(&keys), clock, metrics.clone());
    let issuance = Issuance {
        store,
        guard,
        register: Register::connect_lazy(config.register.clone()).context("register")?,
        web_login: IdTokens::new(config.web_login.clone(), http.clone()).context("web_login.issuer")?,
        agent_login: IdTokens::new(config.agent_login.clone(), http).context("agent_login.issuer")?,
        keys,
        texts: Texts::load(),
        rules: config.rules.clone(),
        question_draws,
        metrics: metrics.clone(),
        wake: Arc::new(Notify::new()),
    };
    Ok(Parts { issuance: Arc::new(issuance), dispatcher, sealer, metrics })
}
