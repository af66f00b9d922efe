//! An issuer and its keys, kept in memory.
//!
//! Keys are fetched when a token needs them: the first time, when they have got old, and when a token names a key that
//! is not among them. One caller fetches, the others wait for its result or, if they can, go on with the keys there are.
//! A fetch serves all: it goes on when the deadline of the call that began it has passed.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::discovery::fetch_keys;
use super::key_set::{Key, KeySet};
use super::settings::IssuerSettings;
use crate::deadline;

/// The issuer does not answer, and no keys of it are at hand.
pub(super) struct KeysUnavailable;

pub(super) struct Issuer {
    settings: IssuerSettings,
    http: reqwest::Client,
    cache: Mutex<Cache>,
    /// Held by whoever fetches.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct Cache {
    keys: Option<(Arc<KeySet>, DateTime<Utc>)>,
    /// The last fetch, good or bad.
    last_fetch: Option<DateTime<Utc>>,
    last_fetch_failed: bool,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, http: reqwest::Client) -> Self {
        Self { settings, http, cache: Mutex::default(), fetching: Arc::default() }
    }

    pub(super) const fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The key of that id; `None` when the issuer has no such key.
    pub(super) async fn key(self: &Arc<Self>, kid: &str, now: DateTime<Utc>) -> Result<Option<Key>, KeysUnavailable> {
        let cache = self.cache();
        let known = self.known(&cache, kid, now);
        if let Some(key) = &known
            && cache.age(now).is_some_and(|age| age < delta(self.settings.keys_max_age))
        {
            return Ok(Some(key.clone()));
        }

        let fetching = match (Arc::clone(&self.fetching).try_lock_owned(), known) {
            (Ok(guard), _) => guard,
            (Err(_), Some(key)) => return Ok(Some(key)),
            (Err(_), None) => in_time(Arc::clone(&self.fetching).lock_owned()).await?,
        };
        // Whoever had to wait finds that a fetch has just been made.
        if self.may_fetch(&self.cache(), now) {
            let issuer = Arc::clone(self);
            let fetch = async move {
                issuer.fetch(now).await;
                drop(fetching);
            };
            in_time(tokio::spawn(fetch.in_current_span())).await?.map_err(|_| KeysUnavailable)?;
        }

        let cache = self.cache();
        match self.known(&cache, kid, now) {
            Some(key) => Ok(Some(key)),
            // The key may be a new one that could not be fetched.
            None if cache.last_fetch_failed || !self.serves(&cache, now) => Err(KeysUnavailable),
            None => Ok(None),
        }
    }

    #[tracing::instrument(name = "login.fetch_keys", skip_all, fields(otel.kind = "client", issuer = %self.settings.issuer))]
    async fn fetch(&self, now: DateTime<Utc>) {
        let result = timeout(self.settings.timeout, fetch_keys(&self.http, &self.settings.issuer)).await;
        let result = result.unwrap_or_else(|_| Err(anyhow::anyhow!("time-out")));

        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.last_fetch = Some(now);
        cache.last_fetch_failed = result.is_err();
        match result {
            Ok(keys) => cache.keys = Some((Arc::new(keys), now)),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot fetch the issuer's keys"),
        }
    }

    fn cache(&self) -> Cache {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_fetch(&self, cache: &Cache, now: DateTime<Utc>) -> bool {
        cache.last_fetch.is_none_or(|last| now - last >= delta(self.settings.refresh_interval))
    }

    /// Whether the keys are young enough, counting the time that they may serve while the issuer is down.
    fn serves(&self, cache: &Cache, now: DateTime<Utc>) -> bool {
        let limit = self.settings.keys_max_age.saturating_add(self.settings.keys_stale_age);
        cache.age(now).is_some_and(|age| age < delta(limit))
    }

    fn known(&self, cache: &Cache, kid: &str, now: DateTime<Utc>) -> Option<Key> {
        let (keys, _) = cache.keys.as_ref().filter(|_| self.serves(cache, now))?;
        keys.find(kid).cloned()
    }
}

impl Cache {
    fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.keys.as_ref().map(|(_, fetched)| now - fetched)
    }
}

/// Waits for `work` until the call's deadline.
async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, KeysUnavailable> {
    timeout(deadline::time_left(Duration::MAX), work).await.map_err(|_| KeysUnavailable)
}

/// For comparing a setting of any size.
fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
