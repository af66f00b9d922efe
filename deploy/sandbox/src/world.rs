//! Assembles the made-up world and runs it around the service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use made_up_world::certificates::Certificates;
use made_up_world::gateway::Gateway;
use made_up_world::issuers::Issuers;
use made_up_world::people::{Opening, People};
use made_up_world::phones::Phones;
use made_up_world::register::{Register, RegisterMode};
use made_up_world::switch::Switch;
use temporary_pin::clock::{Clock as _, ShiftedClock};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;
use crate::scratch::Scratch;
use crate::{ServeArguments, http, service};

/// Servers that have not stopped by then are cut off.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// The made-up world.
pub(crate) struct World {
    pub(crate) clock: ShiftedClock,
    pub(crate) people: Arc<People>,
    /// How many ordinary persons are some test's own.
    pub(crate) claimed: AtomicU64,
    pub(crate) phones: Arc<Phones>,
    pub(crate) gateway: Arc<Gateway<Phones>>,
    pub(crate) outbox: Outbox,
    pub(crate) register_mode: Switch<RegisterMode>,
    pub(crate) issuers: Arc<Issuers>,
    /// Of mutual TLS.
    pub(crate) certificates: Certificates,
    pub(crate) scratch_name: String,
    /// `http://…` of the sandbox's HTTP interface: the SMS gateway is there too.
    pub(crate) http_url: String,
    /// `http://…` of the identity register.
    pub(crate) register_url: String,
}

/// Serves the world until it is told to stop, then removes what it made.
pub(crate) async fn serve(arguments: ServeArguments, stop: CancellationToken) -> anyhow::Result<()> {
    let scratch = Scratch::make(&arguments.database_url, &arguments.redis_url).await?;
    let served = run(&arguments, &scratch, stop).await;
    served.and(scratch.clear().await)
}

async fn run(arguments: &ServeArguments, scratch: &Scratch, stop: CancellationToken) -> anyhow::Result<()> {
    let (grpc, grpc_address) = bind("--grpc-address", arguments.grpc_address).await?;
    let (tls, tls_address) = bind("--tls-address", arguments.tls_address).await?;
    let (http, http_address) = bind("--http-address", arguments.http_address).await?;
    let (register, register_address) = bind("register", SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let world = Arc::new(World::assemble(arguments, scratch, http_address, register_address)?);

    // The service stops first: until then it may need the world.
    let world_stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    let (routes, stopped) = (http::routes(world.clone()), world_stop.clone());
    servers.spawn(async move {
        axum::serve(http, routes).with_graceful_shutdown(stopped.cancelled_owned()).await.context("HTTP interface")
    });
    let identity_register = Register { population: Arc::clone(&world.people), mode: world.register_mode.clone() };
    let stopped = world_stop.clone().cancelled_owned();
    servers.spawn(async { identity_register.serve(register, stopped).await.context("identity register") });

    let announced = async {
        service::ready(grpc_address).await?;
        println!("ready grpc={grpc_address} http={http_address} tls={tls_address}");
        std::future::pending().await
    };
    let mut outcome = tokio::select! {
        served = service::serve(&world, scratch, arguments.max_calls, grpc, tls, arguments.seed, stop) => served,
        not_ready = announced => not_ready,
    };
    world_stop.cancel();
    let stopping = async {
        while let Some(server) = servers.join_next().await {
            outcome = outcome.and(server?);
        }
        outcome
    };
    tokio::time::timeout(LONGEST_STOP, stopping).await.unwrap_or(Ok(()))
}

async fn bind(option: &'static str, address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("{option}: cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

impl World {
    fn assemble(
        arguments: &ServeArguments,
        scratch: &Scratch,
        http: SocketAddr,
        register: SocketAddr,
    ) -> anyhow::Result<Self> {
        let clock = ShiftedClock::default();
        let people = People::assemble(Opening::at(clock.now()), arguments.people, arguments.seed.unwrap_or(1));
        let phones = Arc::new(Phones::default());
        let certificates = arguments.certificates.clone().unwrap_or_else(|| scratch.certificates());
        let http_url = format!("http://{http}");
        Ok(Self {
            people: Arc::new(people),
            claimed: AtomicU64::new(0),
            gateway: Arc::new(Gateway::new(Arc::clone(&phones), Arc::new(clock.clone()))),
            outbox: Outbox::connect(&scratch.database_url)?,
            phones,
            register_mode: Switch::new(RegisterMode::Up),
            issuers: Arc::new(Issuers::generate(&http_url)?),
            certificates: Certificates::make(&certificates)?,
            scratch_name: scratch.name.clone(),
            clock,
            http_url,
            register_url: format!("http://{register}"),
        })
    }
}
