//! A gRPC client without its own timer, so that a test sees the server's answer to a missed deadline.

use prost::Message;
use tonic::Status;

use crate::calls::{Answer, Refusal};
use crate::world::World;

impl World {
    /// Calls `Service/Method` with the text of a `grpc-timeout`, such as `200m`.
    pub async fn call_raw(
        &self,
        caller: &str,
        method: &str,
        timeout: Option<&str>,
        message: &impl Message,
    ) -> Answer<()> {
        // A frame: a flag for no compression, the length, the message.
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.encoded_len()).unwrap().to_be_bytes());
        frame.extend(message.encode_to_vec());
        // Without the machine's certificates: reading them takes longer than some of these calls.
        let client = reqwest::Client::builder().http2_prior_knowledge().tls_certs_only([]).build().unwrap();
        let mut request = client
            .post(format!("{}/temporarypin.v1.{method}", self.sandbox.grpc_url))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("accept-language", "en")
            .header("x-sandbox-caller", caller)
            .body(frame);
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let response = request.send().await.unwrap();
        // A refusal has its status in the headers. A success has it after the body.
        match Status::from_header_map(response.headers()) {
            Some(status) => Err(Refusal::read(&status)),
            None => Ok(()),
        }
    }
}
