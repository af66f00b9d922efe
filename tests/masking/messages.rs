//! Messages of the contracts that contain secrets or personal data do not implement `Debug`. The descriptors of the contracts
//! show which messages these are.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};
use temporary_pin::proto;

/// Names of fields that contain a secret or identify a person, in any message.
const SECRET_FIELDS: [&str; 13] = [
    "pin",
    "cpr_number",
    "successor_cpr_number",
    "holder_cpr_number",
    "mitid_uuid",
    "holder_mitid_uuid",
    "mobile_number",
    "id_token",
    "agent_token",
    "nonce",
    "number",
    "text",
    "verification_id",
];

/// Responses that contain a verification id, which the caller needs. They keep `Debug`, because tests need it and the service
/// never logs them.
const MESSAGES_WITH_DEBUG: [&str; 1] = [".temporarypin.v1.VerifyIdentityResponse"];

const GENERATED: [(&str, &str); 2] = [
    (".temporarypin.v1", include_str!(concat!(env!("OUT_DIR"), "/temporarypin.v1.rs"))),
    (".identityregister.v1", include_str!(concat!(env!("OUT_DIR"), "/identityregister.v1.rs"))),
];

/// The messages of the contracts by their full names.
fn messages() -> BTreeMap<String, DescriptorProto> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTOR_SET).unwrap();
    let packages = GENERATED.map(|(package, _)| &package[1..]);
    let files = set.file.into_iter().filter(|file| packages.contains(&file.package()));
    files
        .flat_map(|file| {
            let package = file.package().to_owned();
            file.message_type.into_iter().map(move |message| (format!(".{package}.{}", message.name()), message))
        })
        .collect()
}

#[test]
fn messages_with_secrets_do_not_implement_debug() {
    let messages = messages();
    let mut secret: BTreeSet<String> = BTreeSet::new();
    // A message that contains a secret message is secret too.
    loop {
        let is_secret = |message: &DescriptorProto| {
            message.field.iter().any(|field| {
                let nested = field.r#type() == Type::Message && secret.contains(field.type_name());
                nested || SECRET_FIELDS.contains(&field.name())
            })
        };
        let found: BTreeSet<String> =
            messages.iter().filter(|(_, message)| is_secret(message)).map(|(name, _)| name.clone()).collect();
        if found.len() == secret.len() {
            break;
        }
        secret = found;
    }
    assert!(secret.len() > 20, "{secret:?}");
    for name in secret.iter().filter(|name| !MESSAGES_WITH_DEBUG.contains(&name.as_str())) {
        let (package, message) = name.rsplit_once('.').unwrap();
        let (_, code) = GENERATED.iter().find(|(generated, _)| *generated == package).unwrap();
        let (before, _) = code.split_once(&format!("pub struct {message} {{")).unwrap();
        let attributes = before.rsplit_once("#[derive(").unwrap().1;
        assert!(attributes.contains("skip_debug"), "{name} has Debug: add it to SECRET in build.rs");
    }
}
