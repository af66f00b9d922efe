//! The sandbox's HTTP interface: people, logins, phones, the clock.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::matching::time;
use crate::values::{CaseError, number, uuid};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct World {
    url: String,
    client: reqwest::Client,
}

impl World {
    pub(crate) fn at(url: &str) -> Self {
        let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().expect("a client needs nothing");
        Self { url: url.trim_end_matches('/').to_owned(), client }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, CaseError> {
        self.send(path, self.client.get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, CaseError> {
        self.send(path, self.client.post(format!("{}{path}", self.url)).json(body)).await
    }

    async fn send(&self, path: &str, request: reqwest::RequestBuilder) -> Result<Value, CaseError> {
        let response = request.send().await.map_err(|error| format!("{path}: {error}"))?;
        let succeeded = response.status().is_success();
        let body: Value = response.json().await.map_err(|error| format!("{path}: {error}"))?;
        if succeeded { Ok(body) } else { Err(format!("{path}: {body}")) }
    }

    /// The person of the cast with this id. `new`: an ordinary person whom no other case has.
    pub(crate) async fn person(&self, who: &str) -> Result<Value, CaseError> {
        if who == "new" {
            self.post("/people/claim", &json!({})).await
        } else {
            self.get(&format!("/people/{who}")).await
        }
    }

    /// Logs a person in, with a new nonce if the case has none. The result contains the nonce.
    pub(crate) async fn login(&self, mut options: Value) -> Result<Value, CaseError> {
        if options.get("nonce").is_none() {
            options["nonce"] = json!(uuid());
        }
        let mut login = self.post("/login", &options).await?;
        login["nonce"] = options["nonce"].take();
        Ok(login)
    }

    /// All messages of a phone, after all due messages were sent.
    pub(crate) async fn messages(&self, number: &str) -> Result<Vec<Value>, CaseError> {
        self.settle().await?;
        let mut messages = self.get(&format!("/phones/{number}/messages")).await?;
        Ok(messages.as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Waits until all due messages were sent.
    async fn settle(&self) -> Result<(), CaseError> {
        let start = Instant::now();
        while self.get("/outbox").await?["due"] != json!(0) {
            if start.elapsed() > REQUEST_TIMEOUT {
                return Err("messages are on their way for too long".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub(crate) async fn now(&self) -> Result<DateTime<Utc>, CaseError> {
        time(&self.get("/clock").await?["time"]).ok_or_else(|| "/clock: no time".to_owned())
    }

    /// Moves the clock by a number of seconds, or `to` a time `plus` a number of seconds.
    pub(crate) async fn advance(&self, wish: &Value) -> Result<(), CaseError> {
        self.settle().await?;
        let seconds = match wish.get("to") {
            None => number(wish)?,
            Some(to) => {
                let to = time(to).ok_or_else(|| format!("advance: {to} is no time"))?;
                // The clock moves by whole seconds, so this rounds up.
                (to - self.now().await?).num_seconds() + wish["plus"].as_i64().unwrap_or(0) + 1
            }
        };
        self.post("/clock/advance", &json!({ "seconds": seconds })).await.map(drop)
    }

    /// Makes the gateway and the register work again after a case.
    pub(crate) async fn restore(&self) {
        for (path, mode) in [("/gateway", "accept"), ("/register", "up")] {
            self.post(path, &json!({ "mode": mode })).await.expect("the sandbox is there");
        }
    }
}
