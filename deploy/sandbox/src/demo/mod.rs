//! Plays the product's three stories against a running sandbox: each call as a person would type it, each answer, and
//! the SMS as it lands on the phone. Ends at the first answer that is not what the story expects.

mod answer;
mod codec;
mod counter;
mod phone;
mod print;
mod schema;
mod service;
mod surroundings;
mod web;

use std::net::SocketAddr;

use clap::Args;

use service::Service;
use surroundings::Surroundings;

/// What `sandbox demo` takes.
#[derive(Args)]
pub(crate) struct DemoArguments {
    /// Where the sandbox's service answers.
    #[arg(long, default_value = "127.0.0.1:50051")]
    grpc_address: SocketAddr,
    /// Where the sandbox's HTTP interface answers.
    #[arg(long, default_value = "127.0.0.1:8025")]
    http_address: SocketAddr,
}

/// Plays all stories.
pub(crate) async fn play(arguments: &DemoArguments) -> anyhow::Result<()> {
    let service = Service::connect(arguments.grpc_address).await?;
    let surroundings = Surroundings::at(arguments.http_address)?;
    print::tell(
        "Each command below can be typed as it stands; what follows it is the service's answer. \
         Only long tokens are cut short (…), in print alone.",
    );
    web::play(&service, &surroundings).await?;
    phone::play(&service, &surroundings).await?;
    counter::play(&service, &surroundings).await?;
    print::title("Done");
    print::tell("Three persons were identified in three ways, three PINs went to three phones, and one was redeemed.");
    Ok(())
}
