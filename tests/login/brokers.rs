//! Tokens in the forms that the brokers of MitID issue, with made-up values: each is accepted by its profile alone, and what
//! is nearly right is refused (R22, R23).

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use temporary_pin::domain::assurance::AssuranceLevel;
use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::person::PersonReference;
use temporary_pin::domain::reason::Reason;
use temporary_pin::login::{IdTokenVerifier, IssuerSettings, LoginError, Subjects, WebLogin, WebLoginTokens};

use crate::issuer::{FakeIssuer, SigningKey};
use crate::{AGENT_LOGIN_AGE, LOGIN_AGE, NONCE, NOW, PERSON, at, person};

const AUDIENCE: &str = "profile-page";
const SUBSTANTIAL: &str = "https://data.gov.dk/concept/core/nsis/Substantial";
const CPR_NUMBER: &str = "0101905555";
const CPR_CLAIM: &str = "https://data.gov.dk/model/core/eid/cprNumber";
const LOA_CLAIM: &str = "https://data.gov.dk/concept/core/nsis/loa";

/// Another subject than the person's UUID.
const SUBJECT: &str = "7d0c2b1a-5e4f-4a3b-8c2d-1f0e9d8c7b6a";

/// An issuer in the form of a broker, and the service with the broker's profile and nothing else.
struct Broker {
    issuer: FakeIssuer,
    verifier: IdTokenVerifier,
    form: &'static str,
}

impl Broker {
    /// `form`: the name of the broker, followed by `/` and the name of a form if there are several. `settings`: TOML beside
    /// the profile.
    async fn new(form: &'static str, subjects: Subjects, settings: &str) -> Self {
        test_support::log::install();
        let mut keys = vec![
            json!({"kty": "RSA", "use": "enc", "alg": "RSA-OAEP-256", "kid": "k1", "n": "AQAB", "e": "AQAB"}),
            SigningKey::Rsa.jwk("k1", None),
        ];
        keys.extend((0..20).map(|number| SigningKey::ec().jwk(&format!("other-{number}"), Some("ES256"))));
        let issuer = FakeIssuer::start(keys).await;
        let broker = form.split('/').next().unwrap();
        let settings: IssuerSettings = toml::from_str(&format!(
            "issuer = '{}'\naudience = '{AUDIENCE}'\nbroker = '{broker}'\ntimeout = '60s'\n{settings}",
            issuer.url
        ))
        .unwrap();
        assert_eq!(settings.find_claim_problems(subjects), []);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let verifier = IdTokenVerifier::new(vec![settings], subjects, &http).unwrap();
        Self { issuer, verifier, form }
    }

    /// The claims of the ID token, and those of the userinfo token if the broker has one.
    fn claims(&self) -> (Value, Option<Value>) {
        let common = json!({"iss": self.issuer.url, "aud": AUDIENCE, "iat": NOW, "nonce": NONCE});
        let userinfo = json!({
            "iss": self.issuer.url, "nbf": NOW, "iat": NOW, "exp": NOW + 300, "mitid.uuid": PERSON, "mitid.has_cpr": "true",
            "loa": SUBSTANTIAL, "identity_type": "private", "idp": "mitid", "auth_time": (NOW - 1).to_string(),
            "sub": SUBJECT, "aud": AUDIENCE,
        });
        let idura = json!({
            "identityscheme": "dkmitid", "authenticationtype": "urn:grn:authn:dk:mitid:substantial",
            "authenticationinstant": "2026-11-18T11:06:39.345Z", "sub": format!("{{{SUBJECT}}}"), "loA": "SUBSTANTIAL",
            "uuid": PERSON, "nbf": NOW, "exp": NOW + 18000,
        });
        let own = match self.form {
            "signaturgruppen" => json!({
                "nbf": NOW, "exp": NOW + 300, "amr": ["code_app"], "sub": SUBJECT, "auth_time": NOW - 1, "idp": "mitid",
                "acr": SUBSTANTIAL, "loa": SUBSTANTIAL, "ial": SUBSTANTIAL, "aal": SUBSTANTIAL, "identity_type": "private",
            }),
            "eident" => json!({
                "sub": format!("mitid:{PERSON}"), "mitid.uuid": PERSON, "amr": ["mitid"], "exp": NOW + 900,
                "identity_type": "private", "loa": "https://data.gov.dk/concept/core/nsis/High",
            }),
            "idura/older" => idura,
            "idura/newer" => patched(idura, &json!({"acr": "urn:grn:authn:dk:mitid:substantial", "auth_time": NOW})),
            "signicat" => json!({
                "nbf": NOW, "exp": NOW + 600, "sub": "a8kQ3v==", "auth_time": NOW, "idp": "mitid", "mitid_uuid": PERSON,
                "mitid_loa": "SUBSTANTIAL", "acr": "substantial",
            }),
            "nemlogin-bridge" => json!({
                "exp": NOW + 600, "sub": format!("https://data.gov.dk/model/core/eid/person/uuid/{SUBJECT}"),
                LOA_CLAIM: "Substantial", CPR_CLAIM: CPR_NUMBER, "auth_time": NOW,
            }),
            "entra" => {
                json!({"nbf": NOW, "exp": NOW + 3900, "sub": SUBJECT, "oid": SUBJECT, "tid": SUBJECT, "ver": "2.0"})
            }
            other => panic!("no form {other}"),
        };
        (patched(common, &own), (self.form == "signaturgruppen").then_some(userinfo))
    }

    fn id_token(&self, patch: &Value) -> String {
        sign("JWT", &patched(self.claims().0, patch))
    }

    fn userinfo_token(&self, patch: &Value) -> Option<String> {
        Some(sign("at+jwt", &patched(self.claims().1?, patch)))
    }

    async fn verify(&self, id_token: &str, userinfo_token: Option<&str>) -> Result<WebLogin, LoginError> {
        let tokens = WebLoginTokens { id_token, userinfo_token, nonce: NONCE };
        self.verifier.verify_web_login(&tokens, at(NOW), LOGIN_AGE).await
    }

    /// Verifies the tokens as the broker issues them, with these claims changed.
    async fn log_in(&self, id_patch: &Value, userinfo_patch: &Value) -> Result<WebLogin, LoginError> {
        self.verify(&self.id_token(id_patch), self.userinfo_token(userinfo_patch).as_deref()).await
    }
}

fn sign(typ: &str, claims: &Value) -> String {
    SigningKey::Rsa.sign(&json!({"alg": "RS256", "kid": "k1", "typ": typ}), claims)
}

/// The claims with the members of `patch`; `null` removes one.
fn patched(mut claims: Value, patch: &Value) -> Value {
    for (name, value) in patch.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn reason(refused: LoginError) -> Reason {
    match refused {
        LoginError::Denied { reason, .. } => reason,
        LoginError::Unavailable => panic!("the issuer answers"),
    }
}

#[rstest]
#[case("signaturgruppen", AssuranceLevel::Substantial)]
#[case("eident", AssuranceLevel::High)]
#[case("idura/older", AssuranceLevel::Substantial)]
#[case("idura/newer", AssuranceLevel::Substantial)]
#[case("signicat", AssuranceLevel::Substantial)]
#[case("nemlogin-bridge", AssuranceLevel::Substantial)]
#[tokio::test]
async fn r23_a_brokers_token_is_accepted_by_its_profile_alone(
    #[case] form: &'static str,
    #[case] level: AssuranceLevel,
) {
    let broker = Broker::new(form, Subjects::Persons, "").await;
    let login = broker.log_in(&json!({}), &json!({})).await.unwrap();
    let by_cpr_number = PersonReference::Cpr(CprNumber::parse(CPR_NUMBER).unwrap());
    assert_eq!(login.person, if form == "nemlogin-bridge" { by_cpr_number } else { person() });
    assert_eq!(login.assurance, level);
}

#[rstest]
#[case::business("signaturgruppen", json!({"identity_type": "professional"}), Reason::LoginNotAccepted)]
#[case::identity_type_missing("signaturgruppen", json!({"identity_type": null}), Reason::LoginNotAccepted)]
#[case::another_idp("signaturgruppen", json!({"idp": "mitid_erhverv"}), Reason::LoginNotAccepted)]
#[case::idp_missing("signaturgruppen", json!({"idp": null}), Reason::LoginNotAccepted)]
#[case::low("signaturgruppen", json!({"loa": "https://data.gov.dk/concept/core/nsis/Low"}), Reason::AssuranceTooLow)]
#[case::evil_level("signaturgruppen", json!({"loa": "https://evil.example/Substantial"}), Reason::AssuranceTooLow)]
#[case::evil_short_level("signaturgruppen", json!({"loa": "evil/Substantial"}), Reason::AssuranceTooLow)]
#[case::bare_level("signaturgruppen", json!({"loa": "Substantial"}), Reason::AssuranceTooLow)]
#[case::other_party("signaturgruppen", json!({"azp": "another-client"}), Reason::LoginNotAccepted)]
#[case::session("signaturgruppen", json!({"auth_time": NOW - 301}), Reason::LoginTooOld)]
#[case::no_login_time("signaturgruppen", json!({"auth_time": null}), Reason::LoginNotAccepted)]
#[case::business("eident", json!({"identity_type": "professional"}), Reason::LoginNotAccepted)]
#[case::another_method("eident", json!({"amr": ["bankid"]}), Reason::LoginNotAccepted)]
#[case::another_idp("eident", json!({"idp": "freja"}), Reason::LoginNotAccepted)]
#[case::low("eident", json!({"loa": "https://data.gov.dk/concept/core/nsis/Low"}), Reason::AssuranceTooLow)]
#[case::issued_long_ago("eident", json!({"iat": NOW - 301}), Reason::LoginTooOld)]
#[case::prefixed_uuid("eident", json!({"mitid.uuid": format!("mitid:{PERSON}")}), Reason::LoginNotAccepted)]
#[case::business("idura/older", json!({"authenticationtype": "urn:grn:authn:dk:mitid:business"}), Reason::LoginNotAccepted)]
#[case::another_scheme("idura/older", json!({"identityscheme": "sebankid"}), Reason::LoginNotAccepted)]
#[case::low("idura/older", json!({"loA": "LOW"}), Reason::AssuranceTooLow)]
#[case::other_case("idura/older", json!({"loA": "Substantial"}), Reason::AssuranceTooLow)]
#[case::old_instant("idura/older", json!({"authenticationinstant": "2026-11-18T10:00:00Z"}), Reason::LoginTooOld)]
#[case::instant_without_zone("idura/older", json!({"authenticationinstant": "2026-11-18T11:06:39"}), Reason::LoginNotAccepted)]
#[case::business("idura/newer", json!({"acr": "urn:grn:authn:dk:mitid:business"}), Reason::LoginNotAccepted)]
#[case::low("idura/newer", json!({"acr": "urn:grn:authn:dk:mitid:low"}), Reason::AssuranceTooLow)]
#[case::evil_acr("idura/newer", json!({"acr": "urn:evil:substantial"}), Reason::LoginNotAccepted)]
#[case::session("idura/newer", json!({"auth_time": NOW - 301}), Reason::LoginTooOld)]
#[case::uuid_of_the_tenant("idura/newer", json!({"uuid": format!("{{{PERSON}}}")}), Reason::LoginNotAccepted)]
#[case::another_idp("signicat", json!({"idp": "mitid-business"}), Reason::LoginNotAccepted)]
#[case::business("signicat", json!({"identity_type": "professional"}), Reason::LoginNotAccepted)]
#[case::low("signicat", json!({"mitid_loa": "LOW", "acr": "low"}), Reason::AssuranceTooLow)]
#[case::low_by_one_claim("signicat", json!({"mitid_loa": "LOW"}), Reason::AssuranceTooLow)]
#[case::without_the_scope("signicat", json!({"mitid_uuid": null, "mitid_loa": null}), Reason::LoginNotAccepted)]
#[case::low("nemlogin-bridge", json!({LOA_CLAIM: "Low"}), Reason::AssuranceTooLow)]
#[case::evil_level("nemlogin-bridge", json!({LOA_CLAIM: "evil/Substantial"}), Reason::AssuranceTooLow)]
#[case::business(
    "nemlogin-bridge",
    json!({"sub": format!("https://data.gov.dk/model/core/eid/professional/uuid/{SUBJECT}")}),
    Reason::LoginNotAccepted
)]
#[case::evil_subject(
    "nemlogin-bridge",
    json!({"sub": format!("https://evil.example/model/core/eid/person/uuid/{SUBJECT}")}),
    Reason::LoginNotAccepted
)]
#[case::no_cpr_number("nemlogin-bridge", json!({CPR_CLAIM: null}), Reason::LoginNotAccepted)]
#[tokio::test]
async fn r23_a_token_that_is_nearly_right_is_refused(
    #[case] form: &'static str,
    #[case] patch: Value,
    #[case] expected: Reason,
) {
    let broker = Broker::new(form, Subjects::Persons, "").await;
    let refused = broker.log_in(&patch, &json!({})).await.unwrap_err();
    assert_eq!(reason(refused), expected);
}

#[tokio::test]
async fn r23_an_access_token_is_no_id_token() {
    for form in ["signaturgruppen", "eident", "idura/newer", "signicat"] {
        let broker = Broker::new(form, Subjects::Persons, "").await;
        let token = sign("at+jwt", &broker.claims().0);
        let refused = broker.verify(&token, broker.userinfo_token(&json!({})).as_deref()).await.unwrap_err();
        assert_eq!(reason(refused), Reason::LoginNotAccepted, "{form}");
    }
}

#[rstest]
#[case::another_subject(json!({"sub": PERSON}))]
#[case::subject_missing(json!({"sub": null}))]
#[case::another_issuer(json!({"iss": "https://other.example"}))]
#[case::another_audience(json!({"aud": "other"}))]
#[case::another_party(json!({"azp": "other"}))]
#[case::expired(json!({"exp": NOW - 61}))]
#[case::expiry_missing(json!({"exp": null}))]
#[case::business(json!({"identity_type": "professional"}))]
#[case::another_idp(json!({"idp": "other"}))]
#[case::person_missing(json!({"mitid.uuid": null}))]
#[case::person_in_another_form(json!({"mitid.uuid": CPR_NUMBER}))]
#[tokio::test]
async fn r23_a_userinfo_token_of_another_login_is_refused(#[case] patch: Value) {
    let broker = Broker::new("signaturgruppen", Subjects::Persons, "").await;
    let refused = broker.log_in(&json!({}), &patch).await.unwrap_err();
    assert_eq!(refused, LoginError::Denied { reason: Reason::LoginNotAccepted, person: None });
}

#[tokio::test]
async fn r23_a_userinfo_token_must_be_signed_by_the_issuer_and_expected() {
    let broker = Broker::new("signaturgruppen", Subjects::Persons, "").await;
    let (id_token, userinfo) = (broker.id_token(&json!({})), broker.claims().1.unwrap());
    let forged = SigningKey::ec().sign(&json!({"alg": "ES256", "kid": "other-1", "typ": "at+jwt"}), &userinfo);
    for userinfo_token in [None, Some(forged.as_str()), Some(id_token.as_str()), Some("x")] {
        let refused = broker.verify(&id_token, userinfo_token).await.unwrap_err();
        assert_eq!(reason(refused), Reason::LoginNotAccepted);
    }

    let without = Broker::new("signaturgruppen", Subjects::Persons, "userinfo_token = false").await;
    assert_eq!(reason(without.log_in(&json!({}), &json!({})).await.unwrap_err()), Reason::LoginNotAccepted);
    // Both tokens may name the person, but not two.
    broker.log_in(&json!({"mitid.uuid": PERSON}), &json!({})).await.unwrap();
    let two = broker.log_in(&json!({"mitid.uuid": SUBJECT}), &json!({})).await.unwrap_err();
    assert_eq!(reason(two), Reason::LoginNotAccepted);
}

/// The settings beside the profile override single points.
#[tokio::test]
async fn settings_override_single_points_of_a_profile() {
    let settings = "person_claim = 'sub'\nperson_form = 'mitid:UUID'\nlevels = { high = ['https://levels.example/3'] }";
    let broker = Broker::new("eident", Subjects::Persons, settings).await;
    let login = broker.log_in(&json!({"loa": "https://levels.example/3"}), &json!({})).await.unwrap();
    assert_eq!((login.person, login.assurance), (person(), AssuranceLevel::High));
    let by_profile = broker.log_in(&json!({}), &json!({})).await.unwrap_err();
    assert_eq!(reason(by_profile), Reason::AssuranceTooLow);
    let business = json!({"loa": "https://levels.example/3", "identity_type": "professional"});
    assert_eq!(reason(broker.log_in(&business, &json!({})).await.unwrap_err()), Reason::LoginNotAccepted);
}

#[rstest]
#[case::assumed("assumed_level = 'Substantial'", json!({}), Some(AssuranceLevel::Substantial))]
#[case::context("levels = { substantial = ['c1'], high = ['c2'] }", json!({"acrs": ["c1", "p1"]}), Some(AssuranceLevel::Substantial))]
#[case::highest_context("levels = { substantial = ['c1'], high = ['c2'] }", json!({"acrs": ["c1", "c2"]}), Some(AssuranceLevel::High))]
#[case::context_missing("levels = { substantial = ['c1'] }", json!({}), None)]
#[case::context_unknown("levels = { substantial = ['c1'] }", json!({"acrs": ["p1"]}), None)]
#[case::assumed_too_low("assumed_level = 'Low'", json!({}), None)]
#[case::issued_long_ago("assumed_level = 'Substantial'", json!({"iat": NOW - 12 * 3600 - 1}), None)]
#[case::login_long_ago("assumed_level = 'Substantial'", json!({"auth_time": NOW - 12 * 3600 - 1}), None)]
#[tokio::test]
async fn r22_an_agent_of_entra_has_the_level_that_is_set(
    #[case] settings: &str,
    #[case] patch: Value,
    #[case] level: Option<AssuranceLevel>,
) {
    let entra = Broker::new("entra", Subjects::Agents, settings).await;
    let agent = entra.verifier.verify_agent_login(&entra.id_token(&patch), at(NOW), AGENT_LOGIN_AGE).await;
    assert_eq!(agent.ok().map(|agent| agent.assurance), level);
}

/// Entra's tokens tell no level, so its profile alone is refused: nobody is Substantial because nothing says otherwise.
#[test]
fn r22_entra_needs_a_word_about_the_level() {
    let settings: IssuerSettings = toml::from_str("broker = 'entra'").unwrap();
    let problems = settings.find_claim_problems(Subjects::Agents);
    assert_eq!(problems.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["levels"]);
    assert!(settings.find_claim_problems(Subjects::Persons).iter().any(|(key, _)| *key == "broker"));
}

#[tokio::test]
async fn several_issuers_are_told_apart_by_iss() {
    let idura = Broker::new("idura/newer", Subjects::Persons, "").await;
    let eident = Broker::new("eident", Subjects::Persons, "").await;
    let settings = [(&idura, "idura"), (&eident, "eident")].map(|(broker, name)| {
        let text = format!("issuer = '{}'\naudience = '{AUDIENCE}'\nbroker = '{name}'", broker.issuer.url);
        toml::from_str::<IssuerSettings>(&text).unwrap()
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let both = IdTokenVerifier::new(settings.to_vec(), Subjects::Persons, &http).unwrap();
    for broker in [&idura, &eident] {
        let id_token = broker.id_token(&json!({}));
        let tokens = WebLoginTokens { id_token: &id_token, userinfo_token: None, nonce: NONCE };
        both.verify_web_login(&tokens, at(NOW), LOGIN_AGE).await.unwrap();
    }
    let mixed = idura.id_token(&json!({"iss": eident.issuer.url}));
    let tokens = WebLoginTokens { id_token: &mixed, userinfo_token: None, nonce: NONCE };
    both.verify_web_login(&tokens, at(NOW), LOGIN_AGE).await.unwrap_err();
}

#[tokio::test]
async fn an_examination_names_the_check_and_the_setting_and_no_value() {
    let examine = async |broker: &Broker, patch: &Value| {
        let (id_token, userinfo) = (broker.id_token(patch), broker.userinfo_token(&json!({})));
        let tokens = WebLoginTokens { id_token: &id_token, userinfo_token: userinfo.as_deref(), nonce: NONCE };
        let findings = broker.verifier.examine(&tokens, Subjects::Persons, at(NOW), Duration::from_secs(300)).await;
        findings.into_iter().filter_map(|finding| Some((finding.check, finding.problem?))).collect::<Vec<_>>()
    };
    let broker = Broker::new("signaturgruppen", Subjects::Persons, "").await;
    assert_eq!(examine(&broker, &json!({})).await, []);

    let wrong = examine(&broker, &json!({"identity_type": "professional", "auth_time": NOW - 400})).await;
    assert_eq!(wrong.iter().map(|(check, _)| *check).collect::<Vec<_>>(), ["required claims", "age of the login"]);
    let idura = Broker::new("idura/older", Subjects::Persons, "person_claim = 'sub'\nassurance_claim = 'loa'").await;
    let wrong = format!("{:?}", examine(&idura, &json!({"cpr": CPR_NUMBER})).await);
    for words in
        ["uuid (form \\\"UUID\\\")", "sub (form \\\"{UUID}\\\")", "cpr (form \\\"CPR\\\")", "loA (Substantial)"]
    {
        assert!(wrong.contains(words), "{words} is not in {wrong}");
    }
    for secret in [PERSON, SUBJECT, CPR_NUMBER, NONCE] {
        assert!(!wrong.contains(secret), "{wrong}");
    }
}
