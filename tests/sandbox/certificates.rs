//! The development certificates.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use test_support::sandbox::Sandbox;

const CALLERS: [&str; 5] = ["web", "phone", "counter", "redeemer", "operator"];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn new_certificates_replace_the_old_ones_and_only_their_owner_can_read_them() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{}", std::process::id()));
    let make = || {
        let mut command = Command::new(test_support::programs::sandbox());
        let output = command.arg("certificates").arg("--out").arg(&directory).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        fs::read(directory.join("ca.pem")).unwrap()
    };
    assert_ne!(make(), make());
    assert_eq!(mode(&directory), 0o700);
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600);
        found.push(entry.file_name().into_string().unwrap());
    }
    let pairs = CALLERS.into_iter().chain(["server"]).flat_map(|name| [format!("{name}.pem"), format!("{name}.key")]);
    let mut expected: Vec<String> = pairs.chain(["ca.pem".to_owned()]).collect();
    found.sort();
    expected.sort();
    // The CA's own key is not kept.
    assert_eq!(found, expected);
    fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_running_sandbox_names_its_certificates_and_removes_them_when_it_stops() {
    let mut sandbox = Sandbox::start(&[]);
    let certificates = sandbox.get("/certificates").await;
    let path = |value: &serde_json::Value| Path::new(value.as_str().unwrap()).to_owned();
    let ca = path(&certificates["ca"]);
    for caller in CALLERS {
        for file in ["certificate", "key"] {
            assert!(path(&certificates["callers"][caller][file]).is_absolute());
            assert!(path(&certificates["callers"][caller][file]).exists());
        }
    }
    assert!(ca.exists());
    assert!(sandbox.stop().success());
    assert!(!ca.exists());
}
