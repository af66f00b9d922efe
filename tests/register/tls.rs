//! The connection to the register: TLS, or plaintext on a loopback address.

use std::fs;
use std::path::PathBuf;

use made_up_world::authority::Authority;
use rstest::rstest;
use temporary_pin::register::{Register, RegisterSettings, RegisterUnavailable, TlsFiles};
use tokio::net::TcpListener;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::fake_register::FakeRegister;
use crate::{CPR, by_cpr, person, settings};

#[rstest]
#[case::loopback("http://127.0.0.1:50061", true)]
#[case::loopback_6("http://[::1]:50061", true)]
#[case::by_name("http://localhost:50061", true)]
#[case::plaintext("http://register.example:50061", false)]
#[case::tls_without_ca("https://register.example:50061", false)]
#[case::no_scheme("register.example:50061", false)]
#[case::nothing("", false)]
#[tokio::test]
async fn plaintext_is_allowed_on_loopback_only(#[case] url: &str, #[case] accepted: bool) {
    let settings = RegisterSettings { url: url.into(), ..RegisterSettings::default() };
    assert_eq!(Register::connect_lazy(settings).is_ok(), accepted);
}

/// The PEM files of an authority and of one certificate for `localhost`, which server and client use.
struct Files {
    directory: PathBuf,
}

impl Files {
    fn write(name: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("register-tls-{name}"));
        fs::create_dir_all(&directory).unwrap();
        let authority = Authority::new();
        let signed = authority.sign(&["localhost"]);
        fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
        fs::write(directory.join("certificate.pem"), signed.certificate).unwrap();
        fs::write(directory.join("key.pem"), signed.key).unwrap();
        Self { directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn server(&self) -> Server {
        let read = |name| fs::read(self.file(name)).unwrap();
        let config = ServerTlsConfig::new()
            .identity(Identity::from_pem(read("certificate.pem"), read("key.pem")))
            .client_ca_root(Certificate::from_pem(read("ca.pem")));
        Server::builder().tls_config(config).unwrap()
    }
}

#[tokio::test]
async fn server_and_client_need_a_certificate_of_the_right_authority() {
    let (ours, other) = (Files::write("ours"), Files::write("other"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = settings(&listener).url.replace("http://127.0.0.1", "https://localhost");
    let fake = FakeRegister::default();
    fake.state().people.insert(CPR.into(), person());
    let _server = fake.serve_by(ours.server(), listener);

    let look_up = async |ca: &Files, identity: Option<&Files>| {
        let tls = TlsFiles {
            ca: ca.file("ca.pem"),
            certificate: identity.map(|files| files.file("certificate.pem")),
            key: identity.map(|files| files.file("key.pem")),
        };
        let settings = RegisterSettings { url: url.clone(), tls: Some(tls), ..RegisterSettings::default() };
        Register::connect_lazy(settings).unwrap().look_up_person(&by_cpr(CPR)).await
    };
    assert!(look_up(&ours, Some(&ours)).await.unwrap().is_some());
    assert_eq!(look_up(&other, Some(&ours)).await.unwrap_err(), RegisterUnavailable);
    assert_eq!(look_up(&ours, Some(&other)).await.unwrap_err(), RegisterUnavailable);
    assert_eq!(look_up(&ours, None).await.unwrap_err(), RegisterUnavailable);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let files = Files::write("missing");
    let refused = |tls| {
        let settings = RegisterSettings { url: "https://localhost".into(), tls: Some(tls), ..Default::default() };
        format!("{:#}", Register::connect_lazy(settings).err().unwrap())
    };
    let gone = TlsFiles { ca: files.file("gone.pem"), certificate: None, key: None };
    assert!(refused(gone).starts_with("tls.ca: cannot read "));
    let half = TlsFiles { ca: files.file("ca.pem"), certificate: Some(files.file("certificate.pem")), key: None };
    assert_eq!(refused(half), "tls: certificate and key belong together");
}
