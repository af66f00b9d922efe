//! The made-up world of one sandbox: everything outside the service that the service uses, or that tests control.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use made_up_world::certificates::Certificates;
use made_up_world::gateway::{self, Gateway};
use made_up_world::gateway_server::GatewayServer;
use made_up_world::issuers::Issuers;
use made_up_world::people::People;
use made_up_world::phones::Phones;
use made_up_world::register::RegisterMode;
use made_up_world::switch::Switch;
use temporary_pin::clock::ShiftedClock;

use crate::outbox::Outbox;

pub(crate) struct World {
    pub(crate) clock: ShiftedClock,
    pub(crate) people: Arc<People>,
    /// How many of the generated persons tests have claimed (`POST /people/claim`).
    pub(crate) claimed: AtomicU64,
    pub(crate) phones: Arc<Phones>,
    pub(crate) gateway: Arc<Gateway<Phones>>,
    pub(crate) gateway_server: GatewayServer,
    pub(crate) outbox: Outbox,
    pub(crate) register_mode: Switch<RegisterMode>,
    pub(crate) issuers: Arc<Issuers>,
    /// The certificates for mutual TLS.
    pub(crate) certificates: Certificates,
    /// The name of the database, and the prefix of the Redis keys.
    pub(crate) scratch_name: String,
    /// The URL of the identity register.
    pub(crate) register_url: String,
}

impl World {
    /// The URL of the gateway on its own server, which refuses connections while the gateway is down.
    pub(crate) fn gateway_url(&self) -> String {
        format!("http://{}{}", self.gateway_server.address(), gateway::PATH)
    }
}
