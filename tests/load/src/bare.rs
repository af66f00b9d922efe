//! A bare tonic service: the TLS, message sizes and answers of IssueTemporaryPin and CheckEligibility, but no work.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use temporary_pin::proto::temporarypin::v1 as pb;
use temporary_pin::proto::temporarypin::v1::temporary_pin_service_server::{
    TemporaryPinService, TemporaryPinServiceServer,
};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

#[derive(Args)]
pub(crate) struct BareArguments {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:15063")]
    address: SocketAddr,
    /// A directory with ca.pem, server.pem and server.key, as `install` makes it.
    #[arg(long, value_name = "DIRECTORY")]
    certificates: PathBuf,
}

/// Serves until the process ends.
pub(crate) async fn serve(arguments: &BareArguments) -> anyhow::Result<()> {
    let read = |name: &str| {
        let path = arguments.certificates.join(name);
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read("server.pem")?, read("server.key")?))
        .client_ca_root(Certificate::from_pem(read("ca.pem")?));
    let mut server = Server::builder().tcp_nodelay(true).tls_config(tls)?;
    Ok(server.add_service(TemporaryPinServiceServer::new(ConstantAnswer)).serve(arguments.address).await?)
}

/// Answers without work. Only the id in an answer comes from its request.
struct ConstantAnswer;

#[tonic::async_trait]
impl TemporaryPinService for ConstantAnswer {
    async fn check_eligibility(
        &self,
        _: Request<pb::CheckEligibilityRequest>,
    ) -> Result<Response<pb::CheckEligibilityResponse>, Status> {
        let channel = pb::ChannelEligibility {
            status: pb::channel_eligibility::Status::Eligible.into(),
            channel: pb::Channel::Web.into(),
            ..Default::default()
        };
        let channels = vec![channel.clone(), channel.clone(), channel];
        Ok(Response::new(pb::CheckEligibilityResponse { channels, ..Default::default() }))
    }

    async fn verify_identity(
        &self,
        _: Request<pb::VerifyIdentityRequest>,
    ) -> Result<Response<pb::VerifyIdentityResponse>, Status> {
        Ok(Response::new(pb::VerifyIdentityResponse::default())) // not measured
    }

    async fn issue_temporary_pin(
        &self,
        request: Request<pb::IssueTemporaryPinRequest>,
    ) -> Result<Response<pb::IssueTemporaryPinResponse>, Status> {
        // With a fraction of a second, so that the message has its usual size.
        let time = Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 123_456_000 });
        let pin_request = pb::PinRequest {
            id: request.into_inner().request_id,
            state: pb::pin_request::State::Open.into(),
            channel: pb::Channel::Counter.into(),
            create_time: time,
            expire_time: time,
            masked_mobile_number: "+45 ••••••78".into(),
            dispatch_state: pb::pin_request::DispatchState::Queued.into(),
            next_send_time: time,
        };
        Ok(Response::new(pb::IssueTemporaryPinResponse { pin_request: Some(pin_request) }))
    }
}
