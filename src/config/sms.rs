//! Settings of the SMS gateways.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use crate::sms::gateways::ApiDescription;
use crate::sms::settings::DispatcherSettings;

/// The name of the gateway of the section `[sms.gateway]`.
const ONLY_GATEWAY: &str = "gateway";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// GatewayAPI takes a shorter validity as 60 s.
const DEFAULT_LEAST_VALIDITY: Duration = Duration::from_secs(60);

/// Sending of SMS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsSettings {
    /// The one gateway: GatewayAPI, by its legacy interface. Not used if there are `gateways`.
    pub gateway: SmsGatewaySettings,
    /// The gateways in the order in which they are tried.
    pub gateways: Vec<GatewaySettings>,
    /// The dispatcher, which hands the messages of the outbox over to the gateways.
    pub dispatcher: DispatcherSettings,
}

/// The gateway of version 0.1.0.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsGatewaySettings {
    pub url: String,
    pub token: SecretString,
    /// File that holds the API token instead.
    pub token_file: Option<PathBuf>,
    /// Sender that the phone shows.
    pub sender: String,
    /// Longest wait for a response.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// R24: the shortest validity that the gateway observes.
    #[serde(with = "humantime_serde")]
    pub least_validity: Duration,
    /// How long an idle connection is kept for the next message.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
}

impl Default for SmsGatewaySettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            token: SecretString::default(),
            token_file: None,
            sender: default_sender(),
            timeout: DEFAULT_TIMEOUT,
            least_validity: DEFAULT_LEAST_VALIDITY,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
        }
    }
}

/// One of several gateways.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaySettings {
    /// Its name in the database, in metrics and in logs.
    pub name: String,
    pub kind: GatewayKind,
    pub url: String,
    /// User name, for Kannel.
    #[serde(default)]
    pub user: String,
    /// API token or password.
    #[serde(default)]
    pub token: SecretString,
    /// File that holds it instead. Read again when it changes.
    pub token_file: Option<PathBuf>,
    /// Sender that the phone shows.
    #[serde(default = "default_sender")]
    pub sender: String,
    /// Longest wait for a response.
    #[serde(default = "default_timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// R24: the shortest validity that the gateway observes.
    #[serde(default = "default_least_validity", with = "humantime_serde")]
    pub least_validity: Duration,
    /// How long an idle connection is kept for the next message.
    #[serde(default = "default_idle_timeout", with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// Most calls of one instance at once.
    pub connections: Option<usize>,
    /// Most messages of one instance in a second.
    pub rate: Option<u32>,
    /// The interface of a gateway of the kind `http`.
    pub api: Option<ApiDescription>,
}

/// The interface of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayKind {
    /// GatewayAPI, `POST /mobile/single`.
    Gatewayapi,
    /// GatewayAPI, `POST /rest/mtsms`.
    GatewayapiLegacy,
    /// Kannel, `POST /cgi-bin/sendsms`.
    Kannel,
    /// As `api` describes.
    Http,
}

impl SmsSettings {
    /// All gateways, in the order in which they are tried.
    #[must_use]
    pub fn all_gateways(&self) -> Vec<GatewaySettings> {
        if self.gateways.is_empty() { vec![self.gateway.to_gateway()] } else { self.gateways.clone() }
    }

    /// R24: with less life left no gateway takes a message.
    #[must_use]
    pub fn least_validity(&self) -> Duration {
        self.all_gateways().iter().map(|gateway| gateway.least_validity).min().unwrap_or_default()
    }
}

impl SmsGatewaySettings {
    fn to_gateway(&self) -> GatewaySettings {
        GatewaySettings {
            name: ONLY_GATEWAY.to_owned(),
            kind: GatewayKind::GatewayapiLegacy,
            url: self.url.clone(),
            user: String::new(),
            token: self.token.clone(),
            token_file: self.token_file.clone(),
            sender: self.sender.clone(),
            timeout: self.timeout,
            least_validity: self.least_validity,
            idle_timeout: self.idle_timeout,
            connections: None,
            rate: None,
            api: None,
        }
    }
}

fn default_sender() -> String {
    "MitID".to_owned()
}

fn default_timeout() -> Duration {
    DEFAULT_TIMEOUT
}

fn default_least_validity() -> Duration {
    DEFAULT_LEAST_VALIDITY
}

fn default_idle_timeout() -> Duration {
    DEFAULT_IDLE_TIMEOUT
}
