//! What the service asks and tells: identity register, issuers of ID tokens, SMS gateway. They answer at once.

mod gateway;
mod issuer;
mod register;

use std::path::Path as Directory;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use temporary_pin::proto::identityregister::v1::identity_register_service_server::IdentityRegisterServiceServer;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use crate::WorldAddresses;

pub(crate) use gateway::Gateway;
pub(crate) use issuer::{AGENTS, Issuer, PERSONS, url as issuer_url};

/// The parts of the world that the load needs to know of.
pub(crate) struct World {
    pub(crate) persons: Issuer,
    pub(crate) agents: Issuer,
    pub(crate) gateway: Gateway,
}

impl World {
    /// Serves everything until the process ends, for the service whose installation is in `directory`.
    pub(crate) async fn serve(addresses: &WorldAddresses, directory: &Directory) -> anyhow::Result<Arc<Self>> {
        let (http, register) = (addresses.http_address, addresses.register_address);
        let world = Arc::new(Self {
            persons: Issuer::read(http, directory, PERSONS)?,
            agents: Issuer::read(http, directory, AGENTS)?,
            gateway: Gateway::default(),
        });
        let listener = TcpListener::bind(http).await.with_context(|| format!("cannot listen on {http}"))?;
        let routes = Router::new()
            .route("/rest/mtsms", post(submit))
            .route("/issuers/{name}/.well-known/openid-configuration", get(discovery))
            .route("/issuers/{name}/jwks", get(jwks))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, routes).await });

        let listener = TcpListener::bind(register).await.with_context(|| format!("cannot listen on {register}"))?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let register = IdentityRegisterServiceServer::new(register::Register);
        tokio::spawn(tonic::transport::Server::builder().add_service(register).serve_with_incoming(incoming));
        Ok(world)
    }

    fn issuer(&self, name: &str) -> Result<&Issuer, StatusCode> {
        [&self.persons, &self.agents].into_iter().find(|issuer| issuer.name() == name).ok_or(StatusCode::NOT_FOUND)
    }
}

type Answer = Result<Json<Value>, StatusCode>;

async fn submit(State(world): State<Arc<World>>, Json(message): Json<gateway::Submission>) -> Json<Value> {
    Json(world.gateway.submit(&message))
}

async fn discovery(State(world): State<Arc<World>>, Path(name): Path<String>) -> Answer {
    world.issuer(&name).map(|issuer| Json(issuer.discovery()))
}

async fn jwks(State(world): State<Arc<World>>, Path(name): Path<String>) -> Answer {
    world.issuer(&name).map(|issuer| Json(issuer.jwks()))
}
