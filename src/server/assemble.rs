//! Makes the parts of the service from the configuration.

use std::sync::Arc;

use anyhow::Context as _;
use opentelemetry::global;
use secrecy::ExposeSecret as _;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::audit::Sealer;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::order::OrderRules;
use crate::guard::Guard;
use crate::issuance::{Dependencies, PersonTurns, QuestionDraws};
use crate::keys::KeyRing;
use crate::login::{IdTokenVerifier, Subjects};
use crate::register::Register;
use crate::server::gateways::make_gateways;
use crate::server::reload::{self, Reloadable, WatchedFiles};
use crate::sms::dispatcher::Dispatcher;
use crate::sms::gateways::HttpGateway;
use crate::store::eligibility::PersonStatusReader;
use crate::store::issuing::PinIssuer;
use crate::store::messages::handovers::Handovers;
use crate::store::messages::local_handovers::{self, LocalHandoverQueue};
use crate::store::{self, InstanceKeys};
use crate::telemetry::metrics::Metrics;
use crate::texts::Texts;

/// The parts of the service, ready to run.
pub struct ServiceParts {
    /// What the use cases work with.
    pub dependencies: Arc<Dependencies>,
    /// The key ring as it was last reloaded.
    pub keys: Reloadable<KeyRing>,
    /// The key ring's file, which is watched for changes.
    pub key_files: WatchedFiles,
    /// The files of the gateways' tokens.
    pub token_files: Vec<WatchedFiles>,
    /// Sends the SMS of the outbox.
    pub dispatcher: Dispatcher<HttpGateway>,
    /// The messages that the use cases give the dispatcher.
    pub handover_queue: LocalHandoverQueue,
    /// Seals the audit.
    pub sealer: Sealer,
    pub metrics: Metrics,
}

/// Makes all parts. It is no error if a dependency is down: the service reports NOT_SERVING until it is up.
///
/// # Errors
/// If a setting is not valid or the key ring cannot be read. The error names the setting.
pub async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    question_draws: Arc<QuestionDraws>,
) -> anyhow::Result<ServiceParts> {
    let (keys, key_files) = load_keys(config)?;
    let present_keys = Arc::clone(&keys);
    let store = store::connect_instance(config.postgres.url.expose_secret(), &config.postgres.pool, move || {
        instance_keys(&present_keys.load())
    })
    .context("postgres.url")?;
    let redis = &config.redis;
    let guard =
        Guard::connect(redis.url.expose_secret(), &redis.key_prefix, redis.timeout).await.context("redis.url")?;
    let http = reqwest::Client::builder().user_agent(env!("CARGO_PKG_NAME")).build()?;
    let metrics = Metrics::new(&global::meter(env!("CARGO_PKG_NAME")));
    let (gateways, token_files) = make_gateways(&config.sms, &metrics)?;
    let least_validity = config.sms.least_validity();
    let dispatcher = Dispatcher {
        pool: store.clone(),
        handovers: Handovers::new(&store),
        keys: Arc::clone(&keys),
        gateways,
        clock: Arc::clone(&clock),
        settings: config.sms.dispatcher.clone(),
        metrics: metrics.clone(),
    };
    let (local_handovers, handover_queue) = local_handovers::channel(dispatcher.settings.concurrency);
    let sealer = Sealer::new(store.clone(), Arc::clone(&keys), clock, metrics.clone());
    let dependencies = Dependencies {
        pin_issuer: PinIssuer::new(store.clone(), OrderRules::new(&config.rules, least_validity)),
        person_status: PersonStatusReader::new(store.clone(), &config.rules, least_validity),
        store,
        guard,
        register: Register::connect_lazy(config.register.clone()).context("register")?,
        web_login: IdTokenVerifier::new(config.web_login.0.clone(), Subjects::Persons, &http)
            .context("web_login.issuer")?,
        agent_login: IdTokenVerifier::new(config.agent_login.0.clone(), Subjects::Agents, &http)
            .context("agent_login.issuer")?,
        texts: Texts::load(),
        rules: config.rules.clone(),
        question_draws,
        metrics: metrics.clone(),
        person_turns: PersonTurns::default(),
        local_handovers,
        dispatcher_wake: Arc::new(Notify::new()),
    };
    Ok(ServiceParts {
        dependencies: Arc::new(dependencies),
        keys,
        key_files,
        token_files,
        dispatcher,
        handover_queue,
        sealer,
        metrics,
    })
}

/// The keys of a ring, as far as the database knows them.
pub(super) fn instance_keys(ring: &KeyRing) -> InstanceKeys {
    InstanceKeys::new(ring.pseudonym_key_id(), ring.check_values())
}

/// Loads the key ring. A reload refuses a key ring that must not replace the one in use, or that is not the database's.
fn load_keys(config: &Config) -> anyhow::Result<(Reloadable<KeyRing>, WatchedFiles)> {
    let file = config.keys.file.clone();
    let (url, settings) = (config.postgres.url.clone(), config.postgres.pool.clone());
    let runtime = Handle::current();
    reload::load("keys", vec![file.clone()], move |in_use| {
        let ring = KeyRing::load(&file)?;
        if let Some(in_use) = in_use {
            ring.check_can_replace(in_use)?;
            let keys = instance_keys(&ring);
            // Reloads run on a thread that may block.
            runtime.block_on(store::check_keys(url.expose_secret(), &settings, &keys))?;
        }
        Ok(ring)
    })
}
