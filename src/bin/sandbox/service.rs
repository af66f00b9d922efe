//! Starts the service itself in the made-up world: the one place where sandbox and product meet.

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::scratch::Scratch;
use crate::world::World;

/// Serves gRPC until `stop`.
pub(crate) async fn serve(
    _world: &World,
    _scratch: &Scratch,
    _listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    stop.cancelled().await;
    Ok(())
}
