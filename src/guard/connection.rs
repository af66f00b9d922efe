//! The connection to Redis: made when first needed, shared by all calls, made anew after a failure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, IntoConnectionInfo as _, RedisResult};
use tokio::sync::OnceCell;
use tracing::{field, info_span, warn};

use super::GuardError;
use crate::{deadline, telemetry};

/// Any failure lets go of the connection: a half-dead one (no answer, no reset) would otherwise fail call after call
/// until the kernel gives it up, which takes many minutes.
pub(super) struct Connection {
    client: redis::Client,
    timeout: Duration,
    current: Mutex<Arc<OnceCell<MultiplexedConnection>>>,
}

impl Connection {
    /// Connects to nothing yet.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, GuardError> {
        let info = url.into_connection_info().map_err(|_| GuardError::InvalidUrl)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = redis::Client::open(info).map_err(|_| GuardError::InvalidUrl)?;
        Ok(Self { client, timeout, current: Mutex::default() })
    }

    /// An [`attempt`](Self::attempt) as a part of a call. Not begun after the call's deadline; what is begun has its
    /// time-out, because what is given up may have been done all the same.
    pub(super) async fn run<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, GuardError> {
        if deadline::has_passed() {
            return Err(GuardError::Unavailable);
        }
        traced(operation, self.attempt(work)).await
    }

    /// Runs `work` on the connection within the time-out, connecting included.
    pub(super) async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, GuardError> {
        let current = Arc::clone(&self.current());
        let attempt = async {
            let connection = current.get_or_try_init(|| self.connect()).await?;
            work(connection.clone()).await
        };
        let cause = match tokio::time::timeout(self.timeout, attempt).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        warn!(cause, "Redis failed");
        let mut newest = self.current();
        if Arc::ptr_eq(&newest, &current) {
            *newest = Arc::default();
        }
        Err(GuardError::Unavailable)
    }

    /// For a failure that Redis has told of: whoever asks next connects anew, perhaps to another Redis.
    pub(super) fn let_go(&self, cause: &str) {
        warn!(cause, "Redis failed");
        *self.current() = Arc::default();
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        // `attempt` holds the time-out.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Arc<OnceCell<MultiplexedConnection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `attempt` as a part of the call's trace.
pub(super) async fn traced<T>(
    operation: &'static str,
    attempt: impl Future<Output = Result<T, GuardError>>,
) -> Result<T, GuardError> {
    let span = || {
        info_span!(
            "redis",
            otel.name = format!("redis.{operation}"),
            otel.kind = "client",
            otel.status_code = field::Empty,
            db.system.name = "redis",
            db.operation.name = operation,
        )
    };
    telemetry::trace_attempt(span, attempt).await
}
