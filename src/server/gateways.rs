//! Makes the SMS gateways from the settings.

use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use secrecy::SecretString;

use super::reload::{self, Reloadable, WatchedFiles};
use crate::config::{GatewayKind, GatewaySettings, SmsSettings, read_secret};
use crate::sms::failover::{Gateways, LineSettings};
use crate::sms::gateways::{Account, CallLimits, Dialect, HttpGateway};
use crate::telemetry::metrics::Metrics;

/// The gateways in their order, and the files of their tokens, which are watched for changes.
pub(super) fn make_gateways(
    settings: &SmsSettings,
    metrics: &Metrics,
) -> anyhow::Result<(Gateways<HttpGateway>, Vec<WatchedFiles>)> {
    let (mut gateways, mut files) = (Vec::new(), Vec::new());
    for gateway in settings.all_gateways() {
        let (token, token_files) = load_token(&gateway)?;
        files.extend(token_files);
        let line =
            LineSettings { name: gateway.name.as_str().into(), connections: gateway.connections, rate: gateway.rate };
        gateways.push((line, make_gateway(gateway, token)?));
    }
    Ok((Gateways::new(gateways, metrics.clone()), files))
}

fn make_gateway(settings: GatewaySettings, token: Reloadable<SecretString>) -> anyhow::Result<HttpGateway> {
    let url = settings.url.parse().with_context(|| format!("the URL of the SMS gateway {}", settings.name))?;
    let dialect = match (settings.kind, settings.api) {
        (GatewayKind::Gatewayapi, _) => Dialect::GatewayApi,
        (GatewayKind::GatewayapiLegacy, _) => Dialect::GatewayApiLegacy,
        (GatewayKind::Kannel, _) => Dialect::Kannel { user: settings.user },
        (GatewayKind::Http, api) => Dialect::Described(api.context("the kind http needs `api`")?),
    };
    let limits = CallLimits { timeout: settings.timeout, idle_timeout: settings.idle_timeout };
    let account = Account { token, sender: settings.sender };
    HttpGateway::new(dialect, url, account, settings.least_validity, limits)
}

/// The token. If it has a file, it is read again when the file changes.
fn load_token(settings: &GatewaySettings) -> anyhow::Result<(Reloadable<SecretString>, Option<WatchedFiles>)> {
    let Some(file) = settings.token_file.clone() else {
        return Ok((Arc::new(ArcSwap::from_pointee(settings.token.clone())), None));
    };
    let (token, files) =
        reload::load("sms_token", vec![file.clone()], move |_| read_secret(&file).map_err(anyhow::Error::msg))?;
    Ok((token, Some(files)))
}
