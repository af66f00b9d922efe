//! The connection to Redis. It is made when first needed, shared by all calls, and made again after a failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, IntoConnectionInfo as _, RedisResult};
use tokio::sync::OnceCell;
use tracing::{field, info_span, warn};

use super::error::GuardError;
use crate::{deadline, telemetry};

/// The current connection. Any failure drops it: a broken connection that neither answers nor resets would otherwise fail
/// every call until the kernel closes it, which takes many minutes.
pub(super) struct RedisConnection {
    client: redis::Client,
    timeout: Duration,
    current: Mutex<Arc<OnceCell<MultiplexedConnection>>>,
}

impl RedisConnection {
    /// Does not connect yet. No command takes longer than `timeout`.
    pub(super) fn new(url: &str, timeout: Duration) -> Result<Self, GuardError> {
        let info = url.into_connection_info().map_err(|_| GuardError::InvalidUrl)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = redis::Client::open(info).map_err(|_| GuardError::InvalidUrl)?;
        Ok(Self { client, timeout, current: Mutex::default() })
    }

    /// Runs `command` for a call. Does not start it after the call's deadline. Once started, it runs to its own time-out:
    /// Redis may execute a command that we cancel.
    pub(super) async fn run_for_call<T>(
        &self,
        operation: &'static str,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, GuardError> {
        if deadline::has_passed() {
            return Err(GuardError::Unavailable);
        }
        trace_command(operation, self.run(command)).await
    }

    /// Connects if necessary, and runs `command`, both within the time-out.
    pub(super) async fn run<T>(
        &self,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, GuardError> {
        let used = Arc::clone(&self.lock_current());
        let attempt = async {
            let connection = used.get_or_try_init(|| self.connect()).await?;
            command(connection.clone()).await
        };
        let cause = match tokio::time::timeout(self.timeout, attempt).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        warn!(cause, "Redis failed");
        // Drop the connection, unless another call has replaced it already.
        let mut current = self.lock_current();
        if Arc::ptr_eq(&current, &used) {
            *current = Arc::default();
        }
        Err(GuardError::Unavailable)
    }

    /// Drops the connection because Redis answered with an error. The next call connects again, perhaps to another Redis.
    pub(super) fn drop_current(&self, cause: &str) {
        warn!(cause, "Redis failed");
        *self.lock_current() = Arc::default();
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        // No time-outs here: `run` has one for both connecting and the command.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    fn lock_current(&self) -> MutexGuard<'_, Arc<OnceCell<MultiplexedConnection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `command` in a span of the call's trace.
pub(super) async fn trace_command<T>(
    operation: &'static str,
    command: impl Future<Output = Result<T, GuardError>>,
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
    telemetry::trace_attempt(span, command).await
}
