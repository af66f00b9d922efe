//! The contract, fetched from the running service by server reflection.

use std::collections::BTreeSet;

use anyhow::Context as _;
use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tonic::transport::Channel;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// Fetches the files that define `symbols`, and the files that these files import.
pub(super) async fn fetch_descriptors(channel: Channel, symbols: &[&str]) -> anyhow::Result<DescriptorPool> {
    let mut client = ServerReflectionClient::new(channel);
    let mut requests: Vec<_> =
        symbols.iter().map(|symbol| MessageRequest::FileContainingSymbol((*symbol).to_owned())).collect();
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    while let Some(request) = requests.pop() {
        for file in fetch_files(&mut client, request).await? {
            if names.insert(file.name().to_owned()) {
                requests.extend(file.dependency.iter().cloned().map(MessageRequest::FileByFilename));
                files.push(file);
            }
        }
    }
    DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: files }).context("the service's own description")
}

async fn fetch_files(
    client: &mut ServerReflectionClient<Channel>,
    message_request: MessageRequest,
) -> anyhow::Result<Vec<FileDescriptorProto>> {
    let what = format!("server reflection: {message_request:?}");
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(message_request) };
    let answers = client.server_reflection_info(tokio_stream::once(request)).await.with_context(|| what.clone())?;
    let answer = answers.into_inner().message().await.with_context(|| what.clone())?;
    let Some(MessageResponse::FileDescriptorResponse(files)) = answer.and_then(|answer| answer.message_response) else {
        anyhow::bail!("{what}: no file");
    };
    let files = files.file_descriptor_proto.iter().map(|file| FileDescriptorProto::decode(file.as_slice()));
    files.collect::<Result<_, _>>().context(what)
}
