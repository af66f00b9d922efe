//! Serves the made-up world and the service in it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use made_up_world::certificates::Certificates;
use made_up_world::gateway::Gateway;
use made_up_world::gateway_server::GatewayServer;
use made_up_world::issuers::Issuers;
use made_up_world::people::{self, Opening, People};
use made_up_world::phones::Phones;
use made_up_world::register::{Register, RegisterMode};
use made_up_world::switch::Switch;
use temporary_pin::clock::{Clock as _, ShiftedClock};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;
use crate::scratch::Scratch;
use crate::world::World;
use crate::{http, service};

/// Longest wait for the world's servers to stop, after the service has stopped. After that, they are aborted.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The seed of the persons, if the command line has no seed.
const DEFAULT_SEED: u64 = 1;

/// The largest `--connection-age`: a day.
const MAX_CONNECTION_AGE_SECONDS: u64 = 24 * 3600;

#[derive(Args)]
pub(crate) struct ServeArguments {
    /// The address of the service in plaintext. Port 0: any free port.
    #[arg(long, default_value = "127.0.0.1:50051", value_parser = loopback)]
    grpc_address: SocketAddr,
    /// The address of the service over mutual TLS, as in production. Port 0: any free port.
    #[arg(long, default_value = "127.0.0.1:50052", value_parser = loopback)]
    tls_address: SocketAddr,
    /// The directory of the certificates for mutual TLS. Certificates in it are kept if they are valid for another week, and
    /// replaced otherwise. Without this option: a temporary directory, removed when the sandbox stops.
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
    /// The address of the sandbox's own HTTP interface. Port 0: any free port.
    #[arg(long, default_value = "127.0.0.1:8025", value_parser = loopback)]
    http_address: SocketAddr,
    /// The URL of a Postgres server, with the login of a superuser. The sandbox makes its own database and two roles there.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The URL of a Redis server. The sandbox's keys have their own prefix there.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: String,
    /// How many ordinary persons there are besides the cast.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(people::MAX_GENERATED_PERSONS)))]
    people: u32,
    /// The seed of the ordinary persons and of the questions: the same seed makes the same persons, and asks each person the
    /// same questions in the same order. Without a seed, the persons are those of seed 1, and the questions are random.
    #[arg(long)]
    seed: Option<u64>,
    /// The URL of another identity register, on a loopback address, instead of the sandbox's own. It must know the same people;
    /// GET /register/records on the sandbox's HTTP interface lists them.
    #[arg(long, value_name = "URL")]
    register_url: Option<String>,
    /// The maximum of concurrent calls. A small one shows how the service refuses a call above it.
    #[arg(long)]
    max_calls: Option<usize>,
    /// Seconds after which the service ends a connection, to see how a client reconnects. If it is not set, connections last
    /// as long as in production.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=MAX_CONNECTION_AGE_SECONDS))]
    connection_age: Option<u64>,
    /// Takes witnesses without a login, as clients of version 0.1.0 send them (R20).
    #[arg(long)]
    witness_login_optional: bool,
}

/// Serves until `stop` is cancelled, then removes the database, the Redis keys and its own directory. Certificates in
/// `--certificates` stay.
pub(crate) async fn serve(arguments: ServeArguments, stop: CancellationToken) -> anyhow::Result<()> {
    let scratch = Scratch::create(&arguments.database_url, &arguments.redis_url).await?;
    let served = serve_with(&arguments, &scratch, stop).await;
    served.and(scratch.remove().await)
}

async fn serve_with(arguments: &ServeArguments, scratch: &Scratch, stop: CancellationToken) -> anyhow::Result<()> {
    let (grpc_listener, grpc_address) = bind("--grpc-address", arguments.grpc_address).await?;
    let (tls_listener, tls_address) = bind("--tls-address", arguments.tls_address).await?;
    let (http_listener, http_address) = bind("--http-address", arguments.http_address).await?;
    let (register_listener, register_address) =
        bind("the identity register", SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let world = Arc::new(assemble(arguments, scratch, http_address, register_address)?);

    // The world stops after the service, because the service uses it until its end.
    let world_stop = CancellationToken::new();
    let mut servers = JoinSet::new();
    let (routes, stopped) = (http::routes(world.clone()), world_stop.clone());
    servers.spawn(async move {
        axum::serve(http_listener, routes)
            .with_graceful_shutdown(stopped.cancelled_owned())
            .await
            .context("HTTP interface")
    });
    let (gateway_world, stopped) = (Arc::clone(&world), world_stop.clone());
    servers.spawn(async move {
        let serving = gateway_world.gateway_server.serve(Arc::clone(&gateway_world.gateway));
        stopped.run_until_cancelled(serving).await.unwrap_or(Ok(()))
    });
    let identity_register = Register { population: Arc::clone(&world.people), mode: world.register_mode.clone() };
    let stopped = world_stop.clone().cancelled_owned();
    servers.spawn(async { identity_register.serve(register_listener, stopped).await.context("identity register") });

    let announce = async {
        service::wait_until_serving(grpc_address).await?;
        println!("ready grpc={grpc_address} http={http_address} tls={tls_address}");
        std::future::pending().await
    };
    let settings = service::Settings {
        max_calls: arguments.max_calls,
        connection_age: arguments.connection_age.map(Duration::from_secs),
        witness_login_required: !arguments.witness_login_optional,
        seed: arguments.seed,
        plaintext: grpc_listener,
        tls: tls_listener,
    };
    let outcome = tokio::select! {
        served = service::serve(&world, scratch, settings, stop) => served,
        // `announce` ends only if the service does not become ready.
        start_failure = announce => start_failure,
    };
    world_stop.cancel();
    let stop_servers = async {
        let mut stopped: anyhow::Result<()> = Ok(());
        while let Some(server) = servers.join_next().await {
            stopped = stopped.and(server?);
        }
        stopped
    };
    let stopped = tokio::time::timeout(STOP_TIMEOUT, stop_servers).await.unwrap_or(Ok(()));
    outcome.and(stopped)
}

async fn bind(purpose: &'static str, address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("{purpose}: cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn assemble(
    arguments: &ServeArguments,
    scratch: &Scratch,
    http: SocketAddr,
    register: SocketAddr,
) -> anyhow::Result<World> {
    let clock = ShiftedClock::default();
    let seed = arguments.seed.unwrap_or(DEFAULT_SEED);
    let people = People::assemble(Opening::at(clock.now()), arguments.people, seed);
    let phones = Arc::new(Phones::default());
    let certificates = arguments.certificates.clone().unwrap_or_else(|| scratch.certificates());
    let http_url = format!("http://{http}");
    Ok(World {
        people: Arc::new(people),
        claimed: AtomicU64::new(0),
        gateway_server: GatewayServer::reserve([127, 0, 0, 1])?,
        gateway: Arc::new(Gateway::new(Arc::clone(&phones), Arc::new(clock.clone()))),
        outbox: Outbox::connect(&scratch.database.service_url()?)?,
        phones,
        register_mode: Switch::new(RegisterMode::Up),
        issuers: Arc::new(Issuers::generate(&http_url)?),
        certificates: Certificates::keep_or_make(&certificates)?,
        scratch_name: scratch.name().to_owned(),
        clock,
        register_url: arguments.register_url.clone().unwrap_or_else(|| format!("http://{register}")),
    })
}

/// Parses a loopback address. The sandbox accepts callers without proof, so it must not be reached from other machines.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("must be a loopback address, such as 127.0.0.1:50051".to_owned()),
        Err(_) => Err("must be an IP address and a port, such as 127.0.0.1:50051".to_owned()),
    }
}
