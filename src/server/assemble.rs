//! Makes the parts from the configuration.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, ensure};
use opentelemetry::global;
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::config::Config;
use crate::guard::Guard;
use crate::issuance::{Issuance, QuestionDraws};
use crate::keys::CurrentKeyRing;
use crate::login::IdTokens;
use crate::register::Register;
use crate::server::reload::{self, Reload};
use crate::sms::dispatcher::Dispatcher;
use crate::sms::gateway_api::GatewayApi;
use crate::store;
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

/// The parts that run.
pub(super) struct Parts {
    pub issuance: Arc<Issuance>,
    pub dispatcher: Dispatcher<GatewayApi>,
    pub metrics: Metrics,
    /// The key ring's file.
    pub reload: Reload,
}

/// Connects to everything. What is down now is no error: the service then reports NOT_SERVING until it is up.
pub(super) async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    question_draws: Arc<QuestionDraws>,
) -> anyhow::Result<Parts> {
    let (keys, reload) = key_ring(config)?;
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
        clock,
        settings: config.sms.dispatcher.clone(),
        metrics: metrics.clone(),
    };
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
    Ok(Parts { issuance: Arc::new(issuance), dispatcher, metrics, reload })
}

/// The key ring. While the process runs, a changed one is taken only if persons keep their pseudonyms: the rows and the
/// limits of a person who has another would be somebody else's.
fn key_ring(config: &Config) -> anyhow::Result<(CurrentKeyRing, Reload)> {
    let (config, first) = (config.clone(), OnceLock::new());
    reload::keep("key ring", vec![config.keys.file.clone()], move || {
        let ring = config.key_ring()?;
        let check = ring.pseudonym_check();
        ensure!(
            *first.get_or_init(|| check) == check,
            "its pseudonym keys make other pseudonyms: that needs the steps of docs/keys.md"
        );
        Ok(ring)
    })
}
