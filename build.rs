//! Compiles the proto files with protox, so that no protoc is needed.

use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message as _;

const FILES: [&str; 4] = [
    "temporarypin/v1/temporary_pin_service.proto",
    "temporarypin/v1/redemption_service.proto",
    "temporarypin/v1/operator_service.proto",
    "identityregister/v1/identity_register_service.proto",
];

/// Messages with secrets or personal data. They get no `Debug`, so that they cannot be logged by mistake.
const SECRET: &[&str] = &[
    ".temporarypin.v1.PersonReference",
    ".temporarypin.v1.CheckEligibilityRequest",
    ".temporarypin.v1.VerifyIdentityRequest",
    ".temporarypin.v1.WebLogin",
    ".temporarypin.v1.PhoneIdentification",
    ".temporarypin.v1.CounterIdentification",
    ".temporarypin.v1.Witness",
    ".temporarypin.v1.Document",
    ".temporarypin.v1.QuestionAnswers",
    ".temporarypin.v1.Answer",
    ".temporarypin.v1.IssueTemporaryPinRequest",
    ".temporarypin.v1.RedeemTemporaryPinRequest",
    ".temporarypin.v1.ListPinRequestsRequest",
    ".temporarypin.v1.ListAccessRequestsRequest",
    ".temporarypin.v1.ListLimitsRequest",
    ".temporarypin.v1.GetPersonBlockRequest",
    ".temporarypin.v1.ListAuditEventsRequest",
    ".temporarypin.v1.RevokeTemporaryPinRequest",
    ".temporarypin.v1.CancelAccessRequestRequest",
    ".temporarypin.v1.BlockPersonRequest",
    ".temporarypin.v1.UnblockPersonRequest",
    ".temporarypin.v1.ResetLimitRequest",
    ".identityregister.v1.Person",
    ".identityregister.v1.Fact",
    ".identityregister.v1.MitidAccount",
    ".identityregister.v1.NoticeAddress",
    ".identityregister.v1.Document",
    ".identityregister.v1.LookUpPersonRequest",
    ".identityregister.v1.LookUpPersonResponse",
    ".identityregister.v1.LookUpDocumentRequest",
    ".identityregister.v1.LookUpDocumentResponse",
];

fn main() -> Result<(), Box<dyn error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=migrations");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(FILES)?;
    let mut set = compiler.file_descriptor_set();
    tonic_prost_build::configure()
        .codec_path("crate::codec::Codec")
        .skip_debug(SECRET.iter().copied())
        .compile_fds(set.clone())?;

    // Reflection does not need comments. Without them the binary is smaller.
    for file in &mut set.file {
        file.source_code_info = None;
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("contract.bin"), set.encode_to_vec())?;
    Ok(())
}
