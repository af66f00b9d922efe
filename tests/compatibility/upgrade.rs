//! Runs the release and the present version in one made-up world.

use std::collections::BTreeMap;

use test_support::callers::CALLERS;
use test_support::installation::Installation;
use test_support::person::Person;
use test_support::process::Process;
use test_support::sandbox::Sandbox;
use test_support::world::{World, wait_until};
use tonic::transport::Channel;

use crate::release::Release;

/// The two installations. The running versions borrow them.
pub(crate) struct Upgrade {
    pub(crate) installation: Installation,
    pub(crate) release: Release,
}

/// A running version, with a connection for each caller.
pub(crate) struct Version<'a> {
    pub(crate) process: Process<'a>,
    channels: BTreeMap<&'static str, Channel>,
}

impl Upgrade {
    /// Installs the release, and then the present version on the same database.
    pub(crate) async fn begin() -> (World, Self) {
        let world = World::with_sandbox(Sandbox::start(&["--people", "40"])).await;
        let mut installation = Installation::without_tables_and_keys(&world.sandbox).await;
        // The versions use the clock of the machine, which the test cannot move, so the times are short.
        installation.set("RULES__HOLD__WAIT", "8s");
        // The first notice is handed over only if the hold outlasts these times.
        installation.set("SMS__GATEWAY__LEAST_VALIDITY", "1s");
        installation.set("SMS__GATEWAY__TIMEOUT", "2s");
        installation.set("RULES__PIN__RESEND_INTERVAL", "1s");
        // Retries soon, even after a long outage of the gateway.
        installation.set("SMS__DISPATCHER__RETRY_DELAY_LIMIT", "1s");
        let release = Release::install(&installation, &world.sandbox).await;
        // The present version has a second key ring: the release's keys, and an audit key, which the release does not know.
        let key_ring = installation.path("keys.toml");
        std::fs::copy(&release.key_ring, &key_ring).unwrap();
        installation.run(&["keys", "add", "--ring", &key_ring, "--purpose", "audit"]);
        (world, Self { installation, release })
    }

    /// Starts the release, runs the present version's migrations beside it, and starts the present version.
    pub(crate) async fn both(&self) -> [Version<'_>; 2] {
        let release = Version::from_process(self.release.start(&self.installation.authority).await);
        self.installation.migrate();
        [release, Version::from_process(self.installation.start().await)]
    }

    /// Waits until no message is queued.
    pub(crate) async fn settled(&self) {
        wait_until("all is sent", async || self.installation.count("outbox WHERE state = 'queued'").await == 0).await;
    }
}

/// Waits for `count` texts on the person's phone and returns them. Panics if there are more.
pub(crate) async fn texts(world: &World, person: &Person, count: usize) -> Vec<String> {
    let path = format!("/phones/{}/messages", person.mobile_number());
    let texts = async || -> Vec<String> {
        let messages = world.sandbox.get(&path).await;
        messages.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    };
    wait_until("the SMS arrives", async || texts().await.len() >= count).await;
    let texts = texts().await;
    assert_eq!(texts.len(), count, "{texts:?}");
    texts
}

impl<'a> Version<'a> {
    pub(crate) fn from_process(process: Process<'a>) -> Self {
        let channels = CALLERS.iter().map(|(name, ..)| (*name, process.connect_as(name))).collect();
        Self { process, channels }
    }

    /// Makes `world` send its calls as that caller to this version.
    pub(crate) fn called_by(&self, world: &mut World, caller: &str) {
        world.channel = self.channels[caller].clone();
    }
}
