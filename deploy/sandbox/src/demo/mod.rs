//! Plays three stories against a running sandbox, one for each channel. Prints each call as a person would type it, its
//! answer, and each SMS. Stops at the first answer that the story does not expect.

mod answer;
mod codec;
mod counter;
mod grpcurl;
mod phone;
mod print;
mod sandbox_client;
mod schema;
mod service_client;
mod web;

use std::net::SocketAddr;

use clap::Args;

use sandbox_client::SandboxClient;
use service_client::ServiceClient;

#[derive(Args)]
pub(crate) struct DemoArguments {
    /// The address of the sandbox's service.
    #[arg(long, default_value = "127.0.0.1:50051")]
    grpc_address: SocketAddr,
    /// The address of the sandbox's HTTP interface.
    #[arg(long, default_value = "127.0.0.1:8025")]
    http_address: SocketAddr,
    /// Make the calls by running the printed commands, with the grpcurl that is installed.
    #[arg(long)]
    grpcurl: bool,
}

pub(crate) async fn run(arguments: &DemoArguments) -> anyhow::Result<()> {
    let service = ServiceClient::connect(arguments.grpc_address, arguments.grpcurl).await?;
    let sandbox = SandboxClient::new(arguments.http_address)?;
    print::tell(
        "You can type each command below. The service's answer follows it. \
         Only long tokens are shortened (…) in this output.",
    );
    web::play(&service, &sandbox).await?;
    phone::play(&service, &sandbox).await?;
    counter::play(&service, &sandbox).await?;
    print::title("Done");
    print::tell("Three persons were identified in three ways, three PINs went to three phones, and one was redeemed.");
    Ok(())
}
