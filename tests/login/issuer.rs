//! A fake OIDC issuer on a free port. It has real keys, and can be made to misbehave.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One RSA key for all tests, because generating one takes long.
static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

pub(crate) enum SigningKey {
    Ec(EcdsaKeyPair),
    Rsa,
}

impl SigningKey {
    pub(crate) fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public key as a JWK, with this `alg`.
    pub(crate) fn jwk(&self, kid: &str, alg: Option<&str>) -> Value {
        let mut jwk = match self {
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..])})
            }
            Self::Rsa => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(RSA.public_key());
                json!({"kty": "RSA", "n": base64(&public.n), "e": base64(&public.e)})
            }
        };
        jwk["kid"] = kid.into();
        if let Some(alg) = alg {
            jwk["alg"] = alg.into();
        }
        jwk
    }

    /// The bytes of the public key, which an attacker could use as an HMAC secret.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ec(key) => key.public_key().as_ref().to_vec(),
            Self::Rsa => RSA.public_key().as_ref().to_vec(),
        }
    }

    /// A signed token with exactly this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Ec(key) => key.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Rsa => {
                let encoding = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; RSA.public_modulus_len()];
                RSA.sign(encoding, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{message}.{}", base64(&signature))
    }
}

/// The unsigned part of a token: header and claims.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the issuer serves, and how it misbehaves.
pub(crate) struct Behaviour {
    pub(crate) keys: Vec<Value>,
    /// The issuer answers 503.
    pub(crate) down: bool,
    /// How long each response takes.
    pub(crate) delay: Duration,
    /// The address of the keys redirects to another address.
    pub(crate) redirect: bool,
    /// These replace the real values in the discovery document.
    pub(crate) issuer: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    /// Bytes added to the keys document.
    pub(crate) padding: usize,
    /// How many fetches were started.
    pub(crate) fetches: usize,
}

pub(crate) struct FakeIssuer {
    pub(crate) url: String,
    behaviour: Arc<Mutex<Behaviour>>,
}

#[derive(Clone)]
struct Shared {
    url: String,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl FakeIssuer {
    pub(crate) async fn start(keys: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oidc", listener.local_addr().unwrap());
        let behaviour = Arc::new(Mutex::new(Behaviour {
            keys,
            down: false,
            delay: Duration::ZERO,
            redirect: false,
            issuer: None,
            jwks_uri: None,
            padding: 0,
            fetches: 0,
        }));
        let shared = Shared { url: url.clone(), behaviour: behaviour.clone() };
        let router = Router::new()
            .route("/oidc/.well-known/openid-configuration", get(discovery))
            .route("/oidc/keys", get(keys_document))
            .route("/oidc/elsewhere", get(keys_elsewhere))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, behaviour }
    }

    pub(crate) fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        self.behaviour.lock().unwrap()
    }

    pub(crate) fn fetches(&self) -> usize {
        self.behaviour().fetches
    }
}

async fn discovery(State(shared): State<Shared>) -> Response {
    let delay = {
        let mut behaviour = shared.behaviour.lock().unwrap();
        behaviour.fetches += 1;
        behaviour.delay
    };
    tokio::time::sleep(delay).await;
    let behaviour = shared.behaviour.lock().unwrap();
    if behaviour.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let issuer = behaviour.issuer.as_ref().unwrap_or(&shared.url);
    let jwks_uri = behaviour.jwks_uri.clone().unwrap_or_else(|| format!("{}/keys", shared.url));
    Json(json!({"issuer": issuer, "jwks_uri": jwks_uri})).into_response()
}

async fn keys_document(State(shared): State<Shared>) -> Response {
    let behaviour = shared.behaviour.lock().unwrap();
    if behaviour.redirect {
        return Redirect::temporary("/oidc/elsewhere").into_response();
    }
    Json(json!({"keys": behaviour.keys, "padding": " ".repeat(behaviour.padding)})).into_response()
}

async fn keys_elsewhere(State(shared): State<Shared>) -> Response {
    Json(json!({"keys": shared.behaviour.lock().unwrap().keys})).into_response()
}
