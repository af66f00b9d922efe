//! The configuration of a service in the made-up world, as an operator would write it.

use std::path::Path;

use toml::{Table, Value};

use crate::{gateway, issuers};

/// The office of the made-up world that offers level High (R28).
pub const HIGH_ASSURANCE_OFFICE: &str = "OFFICE-HIGH";

/// A configuration in the making.
pub struct Configuration(Table);

impl Configuration {
    /// Refers to the world's servers at `http_url`, `register_url` and `gateway_url`, and to files in `directory`: the server's
    /// certificate and key (`server.pem`, `server.key`), the CA of its clients, and the key ring (`keys.toml`).
    #[must_use]
    pub fn new(http_url: &str, register_url: &str, gateway_url: &str, directory: &Path, client_ca: &str) -> Self {
        let file = |name: &str| directory.join(name).display().to_string();
        let mut configuration = Self(Table::new());
        configuration.set("server.tls.certificate", file("server.pem"));
        configuration.set("server.tls.key", file("server.key"));
        configuration.set("server.tls.client_ca", file(client_ca));
        configuration.set("register.url", register_url);
        for (section, (name, audience)) in [("web_login", issuers::WEB), ("agent_login", issuers::WORKFORCE)] {
            configuration.set(&format!("{section}.issuer"), issuers::url(http_url, name));
            configuration.set(&format!("{section}.audience"), audience);
        }
        configuration.set("agent_login.professional_witness.claim", issuers::ROLE_CLAIM);
        configuration.set("agent_login.professional_witness.values", vec![issuers::PROFESSIONAL_WITNESS]);
        configuration.set("rules.verification.high_assurance_offices", vec![HIGH_ASSURANCE_OFFICE]);
        configuration.set("sms.gateway.url", gateway_url);
        configuration.set("sms.gateway.token", gateway::TOKEN);
        configuration.set("keys.file", file("keys.toml"));
        configuration
    }

    /// Sets a key, such as `server.address`. Makes the tables above it.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        let (tables, key) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.0;
        for name in tables.split('.').filter(|name| !name.is_empty()) {
            let entry = table.entry(name).or_insert_with(|| Table::new().into());
            table = entry.as_table_mut().expect("a key above another is a table");
        }
        table.insert(key.to_owned(), value.into());
    }

    /// Adds a caller with the names in its certificates and its roles.
    pub fn add_caller(&mut self, name: &str, sans: &[&str], roles: &[&str]) {
        let list = |texts: &[&str]| Value::from(texts.to_vec());
        let caller = [("name", name.into()), ("sans", list(sans)), ("roles", list(roles))];
        let caller: Table = caller.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let callers = self.0.entry("callers").or_insert_with(|| Vec::<Value>::new().into());
        callers.as_array_mut().expect("callers are a list").push(caller.into());
    }

    /// The text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.0.to_string()
    }
}
