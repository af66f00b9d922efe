//! An issuer of ID tokens and its keys, which are cached in memory.
//!
//! Keys are fetched when a token needs them: the first time, when the cached keys are too old, and when a token names a key
//! that is not cached. Only one call fetches at a time. The other calls wait for the result, or use the cached key if they
//! have it. A fetch runs in its own task, so that it finishes for the other calls even if the deadline of the first call
//! passes.

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

/// The keys of the issuer cannot be fetched, and no cached keys may be used.
pub(super) struct KeysUnavailable;

/// An issuer: its settings and its cached keys.
pub(super) struct Issuer {
    settings: IssuerSettings,
    http: reqwest::Client,
    cache: Mutex<Cache>,
    /// Held during a fetch.
    fetch_lock: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct Cache {
    /// The keys, and when they were fetched.
    keys: Option<(Arc<KeySet>, DateTime<Utc>)>,
    /// When the last fetch started, whether it succeeded or failed.
    last_fetch: Option<DateTime<Utc>>,
    last_fetch_failed: bool,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, http: reqwest::Client) -> Self {
        Self { settings, http, cache: Mutex::default(), fetch_lock: Arc::default() }
    }

    pub(super) const fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The key with that id (`kid`); `None` if the issuer has no such key. Fetches the keys if necessary.
    pub(super) async fn key(self: &Arc<Self>, kid: &str, now: DateTime<Utc>) -> Result<Option<Key>, KeysUnavailable> {
        let cache = self.cache();
        let cached = self.find_cached(&cache, kid, now);
        if let Some(key) = &cached
            && cache.age(now).is_some_and(|age| age < to_delta(self.settings.keys_max_age))
        {
            return Ok(Some(key.clone()));
        }

        let fetch_guard = match (Arc::clone(&self.fetch_lock).try_lock_owned(), cached) {
            (Ok(guard), _) => guard,
            (Err(_), Some(key)) => return Ok(Some(key)),
            (Err(_), None) => wait_until_deadline(Arc::clone(&self.fetch_lock).lock_owned()).await?,
        };
        // A call that waited for the lock finds that another call has just fetched.
        if self.may_fetch(&self.cache(), now) {
            let issuer = Arc::clone(self);
            let fetch = async move {
                issuer.fetch(now).await;
                drop(fetch_guard);
            };
            wait_until_deadline(tokio::spawn(fetch.in_current_span())).await?.map_err(|_| KeysUnavailable)?;
        }

        let cache = self.cache();
        match self.find_cached(&cache, kid, now) {
            Some(key) => Ok(Some(key)),
            // The issuer may have such a key: it could not be asked.
            None if cache.last_fetch_failed || !self.are_keys_usable(&cache, now) => Err(KeysUnavailable),
            None => Ok(None),
        }
    }

    /// Fetches the keys and stores the result in the cache.
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

    /// Whether the last fetch is long enough ago.
    fn may_fetch(&self, cache: &Cache, now: DateTime<Utc>) -> bool {
        cache.last_fetch.is_none_or(|last| now - last >= to_delta(self.settings.refresh_interval))
    }

    /// Whether the cached keys may be used: they are not older than `keys_max_age`, or than `keys_max_age` plus
    /// `keys_stale_age` while the issuer cannot be reached.
    fn are_keys_usable(&self, cache: &Cache, now: DateTime<Utc>) -> bool {
        let max_age = self.settings.keys_max_age.saturating_add(self.settings.keys_stale_age);
        cache.age(now).is_some_and(|age| age < to_delta(max_age))
    }

    /// The cached key with that id, if it may be used.
    fn find_cached(&self, cache: &Cache, kid: &str, now: DateTime<Utc>) -> Option<Key> {
        let (keys, _) = cache.keys.as_ref().filter(|_| self.are_keys_usable(cache, now))?;
        keys.find(kid).cloned()
    }
}

impl Cache {
    /// The age of the keys; `None` without keys.
    fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.keys.as_ref().map(|(_, fetched)| now - fetched)
    }
}

/// Waits for `work` until the deadline of the call.
async fn wait_until_deadline<T>(work: impl Future<Output = T>) -> Result<T, KeysUnavailable> {
    timeout(deadline::time_left(Duration::MAX), work).await.map_err(|_| KeysUnavailable)
}

/// A configured duration as a `TimeDelta`. A duration that does not fit becomes the longest one.
fn to_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
