//! Plays a case. See "Steps" in docs/contract-tests.md.

use std::collections::BTreeMap;
use std::pin::Pin;

use regex::Regex;
use serde_json::{Value, json};

use crate::calls::Target;
use crate::cases::Cases;
use crate::matching::{differences, exactly};
use crate::values::{CaseError, Scope, evaluate, number, uuid};
use crate::world::World;

/// Each step has one of these keys, which names its action.
const VERBS: [&str; 13] = [
    "call",
    "sms",
    "claim",
    "login",
    "agent_login",
    "advance",
    "gateway",
    "register",
    "set",
    "check",
    "do",
    "repeat",
    "reflection",
];

/// One line for each difference. Empty if everything is as expected.
type Found = Vec<String>;

/// A case that is being played.
pub(crate) struct Play<'a> {
    cases: &'a Cases,
    target: &'a Target,
    world: &'a World,
    scope: Scope,
    /// For each number, how many of its messages earlier steps have compared.
    seen: BTreeMap<String, usize>,
}

impl<'a> Play<'a> {
    pub(crate) fn new(cases: &'a Cases, target: &'a Target, world: &'a World) -> Self {
        let scope = Scope::from_iter([("agent".to_owned(), json!(format!("clerk-{}", uuid())))]);
        Self { cases, target, world, scope, seen: BTreeMap::new() }
    }

    /// Plays the case. Returns the differences of the first step that fails.
    pub(crate) async fn run(mut self, case: &Value) -> Found {
        let persons = case.get("persons").cloned().unwrap_or_else(|| json!({ "person": "new" }));
        for (name, who) in persons.as_object().into_iter().flatten() {
            if let Err(error) = self.add_person(name, who.as_str().unwrap_or_default()).await {
                return vec![error];
            }
        }
        self.steps(&case["steps"], String::new()).await
    }

    /// Sets the variable `name` to the person `who`. Earlier messages of that person do not count as new.
    async fn add_person(&mut self, name: &str, who: &str) -> Result<(), CaseError> {
        let person = self.world.person(who).await?;
        if let Some(number) = person["mobile_number"].as_str().filter(|_| who != "new") {
            self.seen.insert(number.to_owned(), self.world.messages(number).await?.len());
        }
        self.scope.insert(name.to_owned(), person);
        Ok(())
    }

    /// Plays steps. The future is boxed, because steps can contain steps.
    fn steps<'s>(&'s mut self, steps: &'s Value, within: String) -> Pin<Box<dyn Future<Output = Found> + Send + 's>> {
        Box::pin(async move {
            for (number, step) in (1..).zip(steps.as_array().into_iter().flatten()) {
                let Some(verb) = VERBS.into_iter().find(|verb| step.get(verb).is_some()) else {
                    return vec![format!("step {within}{number}: does nothing that is known: {step}")];
                };
                let at: String = format!("{within}{number}");
                let found = match verb {
                    "do" => self.fragment(step, &at).await,
                    "repeat" => self.repeat(step, &at).await,
                    _ => self.step(verb, step).await.map(|found| {
                        found.iter().map(|line| format!("step {at} ({verb} {}): {line}", step[verb])).collect()
                    }),
                };
                match found {
                    Ok(found) if found.is_empty() => (),
                    Ok(found) => return found,
                    Err(error) => return vec![format!("step {at} ({verb} {}): {error}", step[verb])],
                }
            }
            Vec::new()
        })
    }

    async fn step(&mut self, verb: &str, step: &Value) -> Result<Found, CaseError> {
        if verb == "call" {
            return self.call(step).await;
        }
        let wish = evaluate(&step[verb], &self.scope)?;
        match verb {
            "sms" => return self.sms(&wish).await,
            "check" => return Ok(differences(&evaluate(&step["is"], &self.scope)?, &wish, None, "value")),
            "reflection" => return self.reflection(&wish).await,
            "claim" => self.add_person(wish.as_str().unwrap_or_default(), "new").await?,
            "login" => {
                let login = self.world.login(wish).await?;
                self.keep(step, login);
            }
            "agent_login" => {
                let login = self.world.post("/agent-login", &wish).await?;
                self.keep(step, login);
            }
            "advance" => self.world.advance(&wish).await?,
            "set" => self.scope.extend(wish.as_object().cloned().unwrap_or_default()),
            // `gateway` and `register` are the sandbox's own paths.
            _ => drop(self.world.post(&format!("/{verb}"), &wish).await?),
        }
        Ok(Vec::new())
    }

    fn keep(&mut self, step: &Value, value: Value) {
        if let Some(name) = step["as"].as_str() {
            self.scope.insert(name.to_owned(), value);
        }
    }

    async fn call(&mut self, step: &Value) -> Result<Found, CaseError> {
        let mut asked = step.clone();
        asked["expect"].take();
        let asked = evaluate(&asked, &self.scope)?;
        let before = self.world.now().await?;
        let mut outcome = self.target.call(&asked).await?;
        let window = Some((before, self.world.now().await?));
        let (kind, expected) =
            step["expect"].as_object().and_then(|kinds| kinds.iter().next()).ok_or("no expectation")?;
        let Some(mut came) = outcome.get_mut(kind).map(Value::take) else {
            return Ok(vec![format!("expected an {kind}, but came {outcome}")]);
        };
        self.keep(step, came.clone());
        let mut expected = evaluate(expected, &self.scope)?;
        if kind == "answer" {
            return Ok(differences(&expected, &came, window, "answer"));
        }
        if expected["code"] == "DEADLINE_EXCEEDED" {
            came = json!({ "code": came["code"] }); // no details if the client ended the call
        } else {
            expected["domain"] = json!("temporarypin");
        }
        Ok(exactly(&expected, &came, window, "error"))
    }

    async fn sms(&mut self, wish: &Value) -> Result<Found, CaseError> {
        let number = wish["to"].as_str().ok_or("sms: to whom?")?;
        let messages = self.world.messages(number).await?;
        let seen = self.seen.insert(number.to_owned(), messages.len()).unwrap_or(0);
        let texts: Vec<Value> = messages.iter().skip(seen).map(|message| message["text"].clone()).collect();
        let found = differences(&wish["texts"], &json!(texts), None, "texts");
        if let (Some(name), true) = (wish["pin"].as_str(), found.is_empty()) {
            let text = texts.last().and_then(Value::as_str).unwrap_or_default();
            let pin = Regex::new(r"\b(\d{4}) (\d{4})\b").ok().and_then(|pin| pin.captures(text));
            let pin = pin.ok_or_else(|| format!("no PIN in {text:?}"))?;
            self.scope.insert(name.to_owned(), json!(format!("{}{}", &pin[1], &pin[2])));
        }
        Ok(found)
    }

    async fn reflection(&self, wish: &Value) -> Result<Found, CaseError> {
        let listed = self.target.services().await?;
        let missing = wish.as_array().into_iter().flatten().filter(|name| !listed.iter().any(|it| *name == it));
        Ok(missing.map(|name| format!("{name} is not listed: {listed:?}")).collect())
    }

    async fn fragment(&mut self, step: &Value, at: &str) -> Result<Found, CaseError> {
        if let Some(with) = step.get("with") {
            let with = evaluate(with, &self.scope)?;
            self.scope.extend(with.as_object().cloned().unwrap_or_default());
        }
        let name = step["do"].as_str().unwrap_or_default();
        let cases = self.cases;
        let fragment = cases.fragments.get(name).ok_or_else(|| format!("there is no fragment {name}"))?;
        Ok(self.steps(&fragment["steps"], format!("{at}.{name}.")).await)
    }

    async fn repeat(&mut self, step: &Value, at: &str) -> Result<Found, CaseError> {
        for round in 1..=number(&step["repeat"])? {
            let found = self.steps(&step["steps"], format!("{at}.round {round}.")).await;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}
