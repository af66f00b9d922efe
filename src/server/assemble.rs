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
use crate::keys::KeyRing;
use crate::login::IdTokenVerifier;
use crate::register::Register;
use crate::server::reload::{self, Current, Reload};
use crate::sms::dispatcher::Dispatcher;
use crate::sms::gateways::gateway_api::GatewayApi;
use crate::store;
use crate::store::eligibility::PersonStatusReader;
use crate::store::issuing::PinIssuer;
use crate::store::messages::handovers::Handovers;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

/// The parts that run.
pub struct Parts {
    /// The use cases, with the key ring of the start.
    pub issuance: Issuance,
    /// The key ring as it is now.
    pub keys: Current<KeyRing>,
    /// What reads it again.
    pub reload_keys: Reload,
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
    let (keys, reload_keys) = keys(config)?;
    let pseudonym_key = keys.load().pseudonym_key_id();
    let store = store::connect_instance(config.postgres.url.expose_secret(), &config.postgres.pool, pseudonym_key)
        .context("postgres.url")?;
    let redis = &config.redis;
    let guard =
        Guard::connect(redis.url.expose_secret(), &redis.key_prefix, redis.timeout).await.context("redis.url")?;
    let http = reqwest::Client::builder().user_agent(env!("CARGO_PKG_NAME")).build()?;
    let metrics = Metrics::new(&global::meter(env!("CARGO_PKG_NAME")));
    let gateway = &config.sms.gateway;
    let url = gateway.url.parse().context("sms.gateway.url")?;
    let dispatcher = Dispatcher {
        pool: store.clone(),
        handovers: Handovers::new(&store),
        keys: Arc::clone(&keys),
        gateway: GatewayApi::new(url, gateway.token.clone(), gateway.sender.clone(), gateway.timeout)?,
        clock: Arc::clone(&clock),
        settings: config.sms.dispatcher.clone(),
        metrics: metrics.clone(),
    };
    let sealer = Sealer::new(store.clone(), Arc::clone(&keys), clock, metrics.clone());
    let issuance = Issuance {
        pin_issuer: PinIssuer::new(store.clone()),
        person_status: PersonStatusReader::new(store.clone(), &config.rules.pin, &config.rules.limits),
        store,
        guard,
        register: Register::connect_lazy(config.register.clone()).context("register")?,
        web_login: Arc::new(IdTokenVerifier::new(config.web_login.clone(), http.clone()).context("web_login.issuer")?),
        agent_login: Arc::new(IdTokenVerifier::new(config.agent_login.clone(), http).context("agent_login.issuer")?),
        keys: keys.load_full(),
        texts: Arc::new(Texts::load()),
        rules: Arc::new(config.rules.clone()),
        question_draws,
        metrics: metrics.clone(),
        wake: Arc::new(Notify::new()),
    };
    Ok(Parts { issuance, keys, reload_keys, dispatcher, sealer, metrics })
}

/// Reads the key ring, and makes ready to read it again.
fn keys(config: &Config) -> anyhow::Result<(Current<KeyRing>, Reload)> {
    let file = config.keys.file.clone();
    reload::keep("keys", vec![file.clone()], move |served| {
        let ring = KeyRing::load(&file)?;
        served.map_or(Ok(()), |served| ring.check_can_replace(served))?;
        Ok(ring)
    })
}
