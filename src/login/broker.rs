//! The profiles of the brokers whose tokens are known: which claims hold what, and in which form (R22, R23).
//!
//! Sources: Signaturgruppen's and Idura's documentation of their tokens, IN Groupe's for E-Ident, Signicat's attributes
//! reference, OIOSAML 3 for NemLog-in, and Microsoft's ID token claims reference for Entra ID.

use serde::Deserialize;

use super::claim_form::ClaimForm;
use super::token_rules::{Levels, RequiredClaim, TokenRules};

/// The prefix of NSIS levels as URIs.
const NSIS: &str = "https://data.gov.dk/concept/core/nsis/";

/// The prefix of levels as Idura writes them in `acr`. The same prefix with `business` means MitID Erhverv.
const IDURA_ACR: &str = "urn:grn:authn:dk:mitid:";

/// A broker of MitID logins, or the issuer of agents' logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Broker {
    /// Signaturgruppen's Nets eID Broker. The MitID UUID is in the userinfo token alone.
    Signaturgruppen,
    /// IN Groupe's (once Nets') E-Ident. No login time: it keeps no sessions, so `iat` is the time of the login.
    Eident,
    /// Idura (once Criipto).
    Idura,
    /// Signicat, with the scope `mitid-extra`.
    Signicat,
    /// An OIDC bridge in front of NemLog-in, which names persons by CPR number.
    NemloginBridge,
    /// Microsoft Entra ID, for agents. Its tokens name no level of assurance.
    Entra,
}

impl Broker {
    pub const ALL: [Self; 6] =
        [Self::Signaturgruppen, Self::Eident, Self::Idura, Self::Signicat, Self::NemloginBridge, Self::Entra];

    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signaturgruppen => "signaturgruppen",
            Self::Eident => "eident",
            Self::Idura => "idura",
            Self::Signicat => "signicat",
            Self::NemloginBridge => "nemlogin-bridge",
            Self::Entra => "entra",
        }
    }

    /// Whether it issues tokens of agents. All others issue tokens of persons.
    #[must_use]
    pub const fn is_for_agents(self) -> bool {
        matches!(self, Self::Entra)
    }

    /// How the broker's tokens are read.
    pub(super) fn profile(self) -> TokenRules {
        match self {
            Self::Signaturgruppen => TokenRules {
                required_claims: vec![require("idp", &["mitid"]), require("identity_type", &["private"])],
                takes_userinfo_token: true,
                ..nsis_profile()
            },
            Self::Eident => TokenRules {
                login_time_claims: names(&["auth_time", "iat"]),
                required_claims: vec![
                    require("identity_type", &["private"]),
                    require("amr", &["mitid"]),
                    require_if_present("idp", &["mitid"]),
                ],
                ..nsis_profile()
            },
            Self::Idura => idura_profile(),
            Self::Signicat => TokenRules {
                person_claim: "mitid_uuid".into(),
                assurance_claims: names(&["mitid_loa", "acr"]),
                levels: Levels {
                    low: names(&["LOW", "low"]),
                    substantial: names(&["SUBSTANTIAL", "substantial"]),
                    high: names(&["HIGH", "high"]),
                },
                required_claims: vec![require("idp", &["mitid"]), require_if_present("identity_type", &["private"])],
                ..nsis_profile()
            },
            Self::NemloginBridge => TokenRules {
                person_claim: "https://data.gov.dk/model/core/eid/cprNumber".into(),
                person_form: ClaimForm::parse("CPR"),
                assurance_claims: names(&["https://data.gov.dk/concept/core/nsis/loa"]),
                levels: Levels { low: names(&["Low"]), substantial: names(&["Substantial"]), high: names(&["High"]) },
                // A professional identity has `…/eid/professional/uuid/` here. The UUID is the CPR number's, not MitID's.
                required_claims: vec![require("sub", &["https://data.gov.dk/model/core/eid/person/uuid/UUID"])],
                ..nsis_profile()
            },
            // By Microsoft's reference, `iat` is when the authentication for the token occurred. `auth_time` is an optional
            // claim, which the application's registration can add.
            Self::Entra => TokenRules {
                assurance_claims: names(&["acrs"]),
                levels: Levels::default(),
                login_time_claims: names(&["auth_time", "iat"]),
                required_claims: Vec::new(),
                ..nsis_profile()
            },
        }
    }
}

fn idura_profile() -> TokenRules {
    let level = |level: &str| format!("{IDURA_ACR}{level}");
    let private = [level("low"), level("substantial"), level("high")];
    let private: Vec<&str> = private.iter().map(String::as_str).collect();
    TokenRules {
        person_claim: "uuid".into(),
        assurance_claims: names(&["loA", "acr"]),
        levels: Levels {
            low: vec!["LOW".into(), level("low")],
            substantial: vec!["SUBSTANTIAL".into(), level("substantial")],
            high: vec!["HIGH".into(), level("high")],
        },
        login_time_claims: names(&["auth_time", "authenticationinstant"]),
        required_claims: vec![
            require("identityscheme", &["dkmitid"]),
            require_if_present("authenticationtype", &private),
            require_if_present("acr", &private),
        ],
        ..nsis_profile()
    }
}

/// The form that most brokers of MitID share: `mitid.uuid`, `loa` as a URI of NSIS, `auth_time`.
fn nsis_profile() -> TokenRules {
    let level = |level: &str| vec![format!("{NSIS}{level}")];
    TokenRules {
        person_claim: "mitid.uuid".into(),
        person_form: ClaimForm::parse("UUID"),
        assurance_claims: names(&["loa"]),
        levels: Levels { low: level("Low"), substantial: level("Substantial"), high: level("High") },
        assumed_level: None,
        login_time_claims: names(&["auth_time"]),
        required_claims: Vec::new(),
        takes_userinfo_token: false,
        professional_witness: None,
    }
}

/// The rules for persons' tokens of an issuer without a profile.
pub(super) fn rules_for_persons() -> TokenRules {
    TokenRules {
        levels: every_spelling_of_nsis(),
        required_claims: vec![require_if_present("identity_type", &["private"])],
        ..nsis_profile()
    }
}

/// The rules for agents' tokens of an issuer without a profile. OpenID Connect does not require `auth_time`, but `iat`.
pub(super) fn rules_for_agents() -> TokenRules {
    TokenRules { levels: every_spelling_of_nsis(), login_time_claims: names(&["auth_time", "iat"]), ..nsis_profile() }
}

/// The levels as the brokers of MitID write them.
fn every_spelling_of_nsis() -> Levels {
    let spellings = |name: &str| {
        let lower = name.to_ascii_lowercase();
        vec![name.to_owned(), name.to_ascii_uppercase(), format!("{NSIS}{name}"), format!("{IDURA_ACR}{lower}"), lower]
    };
    Levels { low: spellings("Low"), substantial: spellings("Substantial"), high: spellings("High") }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

fn require(claim: &str, values: &[&str]) -> RequiredClaim {
    let values = values.iter().map(|value| ClaimForm::parse(value)).collect();
    RequiredClaim { claim: claim.into(), values, if_present: false }
}

fn require_if_present(claim: &str, values: &[&str]) -> RequiredClaim {
    RequiredClaim { if_present: true, ..require(claim, values) }
}
