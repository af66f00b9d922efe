//! Runs the service itself in the made-up world.

use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use made_up_world::brokers::{BrokerIssuers, ENTRA_HIGH, ENTRA_SUBSTANTIAL};
use made_up_world::callers::{CallersByMetadata, configured_callers};
use made_up_world::configuration::HIGH_ASSURANCE_OFFICE;
use made_up_world::gateway;
use made_up_world::issuers::{Issuer, PROFESSIONAL_WITNESS, ROLE_CLAIM};
use made_up_world::plaintext;
use temporary_pin::config::Config;
use temporary_pin::login::{Broker, ClaimForm, IssuerList, IssuerSettings, Levels, RequiredClaim};
use temporary_pin::register::RegisterSettings;
use temporary_pin::server::listener::Listener;
use temporary_pin::{server, store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::question_draws;
use crate::scratch::Scratch;
use crate::world::World;

/// If the service does not serve within this time, its start has failed.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The settings that differ from those in production.
pub(crate) struct Settings {
    pub(crate) max_calls: Option<usize>,
    pub(crate) connection_age: Option<Duration>,
    pub(crate) witness_login_required: bool,
    /// The seed of the questions. `None`: random.
    pub(crate) seed: Option<u64>,
    pub(crate) plaintext: TcpListener,
    pub(crate) tls: TcpListener,
}

/// Makes the tables and serves gRPC, in plaintext and over mutual TLS, with the world's clock, until `stop` is cancelled.
pub(crate) async fn serve(
    world: &World,
    scratch: &Scratch,
    settings: Settings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let owner = store::connect(&scratch.database.owner_url()?, &store::PoolSettings::default())?;
    store::migrate(&owner).await.context("cannot make the tables")?;
    store::rights::grant(&owner, &scratch.database.service_role())
        .await
        .context("cannot grant the rights that the service needs")?;
    owner.close().await;
    let (clock, draws) = (Arc::new(world.clock.clone()), question_draws::from_seed(settings.seed));
    let mut config = configure(world, scratch)?;
    if let Some(max_calls) = settings.max_calls {
        config.server.max_calls = max_calls;
    }
    if let Some(age) = settings.connection_age {
        config.server.connections.age = age;
    }
    config.rules.verification.witness_login_required = settings.witness_login_required;
    let listeners = vec![
        plaintext::listen(settings.plaintext, Arc::new(CallersByMetadata))?,
        Listener::mutual_tls(settings.tls, &config)?,
    ];
    server::run(&config, clock, draws, listeners, stop.cancelled_owned()).await
}

/// The defaults of production, and the addresses of this world.
fn configure(world: &World, scratch: &Scratch) -> anyhow::Result<Config> {
    let issuer = |issuer: &Issuer| IssuerSettings {
        issuer: issuer.url().to_owned(),
        audience: issuer.audience().to_owned(),
        ..IssuerSettings::default()
    };
    let workforce = IssuerSettings {
        professional_witness: Some(RequiredClaim {
            claim: ROLE_CLAIM.to_owned(),
            values: vec![ClaimForm::parse(PROFESSIONAL_WITNESS)],
            if_present: false,
        }),
        ..issuer(&world.issuers.workforce)
    };
    let brokers = |for_agents| {
        let brokers = Broker::ALL.into_iter().filter(move |broker| broker.is_for_agents() == for_agents);
        brokers.map(|broker| trust_broker(&world.issuers.brokers, broker))
    };
    let mut config = Config {
        register: RegisterSettings { url: world.register_url.clone(), ..RegisterSettings::default() },
        web_login: IssuerList(iter::once(issuer(&world.issuers.web)).chain(brokers(false)).collect()),
        agent_login: IssuerList(iter::once(workforce).chain(brokers(true)).collect()),
        ..Config::default()
    };
    config.server.tls = Some(world.certificates.tls());
    config.callers = configured_callers();
    config.rules.verification.high_assurance_offices = vec![HIGH_ASSURANCE_OFFICE.to_owned()];
    config.postgres.url = scratch.database.service_url()?.into();
    config.redis.url = scratch.redis_url.clone().into();
    config.redis.key_prefix = scratch.name().to_owned();
    config.sms.gateway.url = world.gateway_url();
    config.sms.gateway.token = gateway::TOKEN.into();
    config.keys.file = scratch.key_ring();
    Ok(config)
}

/// A broker, trusted by its profile. Entra's tokens tell no level, so its authentication contexts are named.
fn trust_broker(brokers: &BrokerIssuers, broker: Broker) -> IssuerSettings {
    let levels = |context: &str| vec![context.to_owned()];
    IssuerSettings {
        issuer: brokers.url(broker),
        audience: BrokerIssuers::audience(broker).to_owned(),
        broker: Some(broker),
        levels: (broker == Broker::Entra).then(|| Levels {
            substantial: levels(ENTRA_SUBSTANTIAL),
            high: levels(ENTRA_HIGH),
            ..Levels::default()
        }),
        ..IssuerSettings::default()
    }
}

/// Waits until the service reports that it serves.
pub(crate) async fn wait_until_serving(address: SocketAddr) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
    let serving = async {
        let mut health = HealthClient::new(channel).watch(HealthCheckRequest::default()).await?.into_inner();
        while let Some(answer) = health.message().await? {
            if answer.status() == ServingStatus::Serving {
                return Ok(());
            }
        }
        Err(anyhow::anyhow!("the service stopped before it was ready"))
    };
    tokio::time::timeout(START_TIMEOUT, serving).await.context("the service is not ready; its log tells why")?
}
