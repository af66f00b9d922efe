//! An issuer of ID tokens and its keys, which are cached in memory.
//!
//! Keys are fetched when a token needs them: the first time, when the cached keys are too old, and when a token names a key
//! that is not cached. Only one call fetches at a time. The other calls wait for the result, or use the cached key if they
//! have it. A fetch runs in its own task, so that it finishes for the other calls even if the deadline of the first call
//! passes.
//!
//! The age of the keys and the pause between two fetches are measured by a monotonic clock: a step of the wall clock must
//! neither keep a withdrawn key nor refuse a new one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use super::discovery::fetch_keys;
use super::key_set::{Key, KeySet};
use super::settings::{IssuerSettings, Subjects};
use super::token_rules::TokenRules;
use crate::deadline;

/// The keys of the issuer cannot be fetched, and no cached keys may be used.
pub(super) struct KeysUnavailable;

/// An issuer: its settings and its cached keys.
pub(super) struct Issuer {
    settings: IssuerSettings,
    rules: TokenRules,
    http: reqwest::Client,
    cache: Mutex<Cache>,
    /// Held during a fetch.
    fetch_lock: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct Cache {
    /// The keys, and when they were fetched.
    keys: Option<(Arc<KeySet>, Instant)>,
    /// When the last fetch started, whether it succeeded or failed.
    last_fetch: Option<Instant>,
    last_fetch_failed: bool,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, subjects: Subjects, http: reqwest::Client) -> Self {
        let rules = settings.token_rules(subjects);
        Self { settings, rules, http, cache: Mutex::default(), fetch_lock: Arc::default() }
    }

    pub(super) const fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// How its tokens are read.
    pub(super) const fn rules(&self) -> &TokenRules {
        &self.rules
    }

    /// The keys with that id (`kid`); none if the issuer has no such key. Fetches the keys if necessary.
    pub(super) async fn find_keys(self: &Arc<Self>, kid: &str) -> Result<Vec<Key>, KeysUnavailable> {
        let now = Instant::now();
        let cache = self.cache();
        let cached = self.find_cached(&cache, kid, now);
        if let Some(keys) = &cached
            && cache.age(now).is_some_and(|age| age < self.settings.keys_max_age)
        {
            return Ok(keys.clone());
        }

        let fetch_guard = match (Arc::clone(&self.fetch_lock).try_lock_owned(), cached) {
            (Ok(guard), _) => guard,
            (Err(_), Some(keys)) => return Ok(keys),
            (Err(_), None) => wait_until_deadline(Arc::clone(&self.fetch_lock).lock_owned()).await?,
        };
        // A call that waited for the lock finds that another call has just fetched.
        if self.may_fetch(&self.cache(), Instant::now()) {
            let issuer = Arc::clone(self);
            let fetch = async move {
                issuer.fetch().await;
                drop(fetch_guard);
            };
            wait_until_deadline(tokio::spawn(fetch.in_current_span())).await?.map_err(|_| KeysUnavailable)?;
        }

        let (cache, now) = (self.cache(), Instant::now());
        match self.find_cached(&cache, kid, now) {
            Some(keys) => Ok(keys),
            // The issuer may have such a key: it could not be asked.
            None if cache.last_fetch_failed || !self.are_keys_usable(&cache, now) => Err(KeysUnavailable),
            None => Ok(Vec::new()),
        }
    }

    /// Fetches the keys and stores the result in the cache.
    #[tracing::instrument(name = "login.fetch_keys", skip_all, fields(otel.kind = "client", issuer = %self.settings.issuer))]
    async fn fetch(&self) {
        let now = Instant::now();
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
    fn may_fetch(&self, cache: &Cache, now: Instant) -> bool {
        cache.last_fetch.is_none_or(|last| now.duration_since(last) >= self.settings.refresh_interval)
    }

    /// Whether the cached keys may be used: they are not older than `keys_max_age`, or than `keys_max_age` plus
    /// `keys_stale_age` while the issuer cannot be reached.
    fn are_keys_usable(&self, cache: &Cache, now: Instant) -> bool {
        let max_age = self.settings.keys_max_age.saturating_add(self.settings.keys_stale_age);
        cache.age(now).is_some_and(|age| age < max_age)
    }

    /// The cached keys with that id, if they may be used.
    fn find_cached(&self, cache: &Cache, kid: &str, now: Instant) -> Option<Vec<Key>> {
        let (keys, _) = cache.keys.as_ref().filter(|_| self.are_keys_usable(cache, now))?;
        keys.find(kid).map(<[Key]>::to_vec)
    }
}

impl Cache {
    /// The age of the keys; `None` without keys.
    fn age(&self, now: Instant) -> Option<Duration> {
        self.keys.as_ref().map(|(_, fetched)| now.duration_since(*fetched))
    }
}

/// Waits for `work` until the deadline of the call.
async fn wait_until_deadline<T>(work: impl Future<Output = T>) -> Result<T, KeysUnavailable> {
    timeout(deadline::time_left(Duration::MAX), work).await.map_err(|_| KeysUnavailable)
}
