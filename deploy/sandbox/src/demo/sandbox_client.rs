//! The sandbox's HTTP interface: people, logins, phones, and the clock.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::print;

/// Also the longest wait for an SMS.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct SandboxClient {
    base: String,
    client: Client,
}

/// A phone with its unread messages.
pub(super) struct Phone<'a> {
    sandbox: &'a SandboxClient,
    number: String,
    /// How many messages have been read.
    read: usize,
}

impl SandboxClient {
    pub(super) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(REQUEST_TIMEOUT).build()?;
        Ok(Self { base: format!("http://{address}"), client })
    }

    pub(super) async fn person(&self, id: &str) -> anyhow::Result<Value> {
        self.get(&format!("/people/{id}")).await
    }

    /// A person's phone. The messages that are already on it count as read.
    pub(super) async fn phone_of(&self, person: &Value) -> anyhow::Result<Phone<'_>> {
        let number = person["mobile_number"].as_str().context("expected the person to have a mobile number")?;
        let mut phone = Phone { sandbox: self, number: number.to_owned(), read: 0 };
        phone.read = phone.messages().await?.len();
        Ok(phone)
    }

    /// Logs a person in with MitID. Returns the ID token.
    pub(super) async fn log_in(&self, person: &str, nonce: &str) -> anyhow::Result<String> {
        let answer = self.post("/login", json!({ "person": person, "nonce": nonce })).await?;
        Ok(answer["id_token"].as_str().context("POST /login: expected an id_token")?.to_owned())
    }

    /// Logs an agent in. Returns the ID token.
    pub(super) async fn log_in_agent(&self, agent: &str) -> anyhow::Result<String> {
        let answer = self.post("/agent-login", json!({ "agent": agent })).await?;
        Ok(answer["agent_token"].as_str().context("POST /agent-login: expected an agent_token")?.to_owned())
    }

    pub(super) async fn advance_clock(&self, by: Duration) -> anyhow::Result<()> {
        self.post("/clock/advance", json!({ "seconds": by.as_secs() })).await.map(drop)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let what = || format!("GET {path}");
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.with_context(what)?;
        answer.error_for_status().with_context(what)?.json().await.with_context(what)
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        print::command(&format!("curl -s -d '{body}' {}{path}", self.base));
        let what = || format!("POST {path}");
        let answer = self.client.post(format!("{}{path}", self.base)).json(&body).send().await.with_context(what)?;
        let status = answer.status();
        let text = answer.text().await.with_context(what)?;
        print::output(&text);
        if !status.is_success() {
            bail!("POST {path}: expected success, but it is {status}");
        }
        serde_json::from_str(&text).with_context(what)
    }
}

impl Phone<'_> {
    /// Waits for the next SMS, prints it and returns its text.
    pub(super) async fn receive(&mut self, what: &str) -> anyhow::Result<String> {
        let message = timeout(REQUEST_TIMEOUT, self.next()).await;
        let message =
            message.with_context(|| format!("expected {what} by SMS to {}, but none came", self.number))??;
        let text = message["text"].as_str().context("expected the SMS to have a text")?;
        print::sms(&self.number, message["sender"].as_str().unwrap_or_default(), text);
        Ok(text.to_owned())
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        loop {
            if let Some(message) = self.messages().await?.into_iter().nth(self.read) {
                self.read += 1;
                return Ok(message);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn messages(&self) -> anyhow::Result<Vec<Value>> {
        let messages = self.sandbox.get(&format!("/phones/{}/messages", self.number)).await?;
        Ok(serde_json::from_value(messages)?)
    }
}

/// Finds the PIN in an SMS: two groups of four digits.
pub(super) fn find_pin(text: &str) -> anyhow::Result<String> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_end_matches('.')).collect();
    let is_group = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let pin = words.windows(2).find(|pair| is_group(pair[0]) && is_group(pair[1]));
    Ok(pin.context("expected a PIN of eight digits in the SMS")?.concat())
}

#[cfg(test)]
mod tests {
    use super::find_pin;

    #[test]
    fn the_pin_is_two_groups_of_four_digits() {
        assert_eq!(find_pin("Your PIN is 0123 4567. Call +45 33 98 00 10").unwrap(), "01234567");
        assert!(find_pin("It can be ordered from 24/11 12.30. Call +45 33 98 00 10").is_err());
    }
}
