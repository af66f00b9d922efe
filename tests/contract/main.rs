//! Plays the contract's cases against a sandbox: a running one, or one that it starts. See docs/contract-tests.md.
//!
//! It uses only what a client of the service has: the published descriptor set and the sandbox's HTTP interface.

mod calls;
mod cases;
mod codec;
mod errors;
mod matching;
mod play;
mod values;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use test_support::sandbox::Sandbox;

use crate::calls::Target;
use crate::cases::Cases;
use crate::play::Play;
use crate::world::World;

/// Plays the contract's cases. Without addresses it starts a sandbox of its own.
#[derive(Parser)]
struct Arguments {
    /// HOST:PORT of the service.
    #[arg(long, env = "CONTRACT_TARGET_GRPC", requires = "http")]
    grpc: Option<String>,
    /// http://HOST:PORT of the sandbox.
    #[arg(long, env = "CONTRACT_TARGET_HTTP", requires = "grpc")]
    http: Option<String>,
    /// Cases whose id contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// How many cases at once.
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// Writes `pass|fail ID` per case there.
    #[arg(long)]
    verdicts: Option<PathBuf>,
    /// `cargo test NAME` hands NAME to every test program; here it means --only.
    #[arg(hide = true)]
    name: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let cases = Cases::load(arguments.name.as_ref().unwrap_or(&arguments.only));
    let (own, grpc, http) = match (arguments.grpc, arguments.http) {
        (Some(grpc), Some(http)) => (None, format!("http://{grpc}"), http),
        _ => {
            let own = Sandbox::start(&["--people", "1000"]);
            let addresses = (own.grpc_url.clone(), own.http_url.clone());
            (Some(own), addresses.0, addresses.1)
        }
    };
    let (target, world) = (Target::at(&grpc), World::at(&http));
    let play = async |name: &str| {
        let found = Play::new(&cases, &target, &world).run(&cases.by_id[name]).await;
        let mut line = format!("{} {name}\n", if found.is_empty() { "pass" } else { "FAIL" });
        found.iter().for_each(|found| writeln!(line, "    {found}").expect("a String takes everything"));
        print!("{line}");
        (name.to_owned(), found.is_empty())
    };
    let (alone, together): (Vec<_>, Vec<_>) =
        cases.by_id.iter().partition(|(_, case)| case["alone"] == Value::Bool(true));
    let mut verdicts: BTreeMap<String, bool> =
        stream::iter(together).map(|(name, _)| play(name)).buffer_unordered(arguments.jobs).collect().await;
    for (name, _) in alone {
        verdicts.extend([play(name).await]);
        world.restore().await;
    }
    drop(own);

    if let Some(file) = arguments.verdicts {
        let line = |(name, passed): (&String, &bool)| format!("{} {name}\n", if *passed { "pass" } else { "fail" });
        std::fs::write(file, verdicts.iter().map(line).collect::<String>()).expect("the verdicts can be written");
    }
    let passed = verdicts.values().filter(|passed| **passed).count();
    let failed = verdicts.len() - passed;
    println!("contract, Rust: {passed} passed, {failed} failed in {} s", start.elapsed().as_secs());
    // No matching case is an error, unless NAME of `cargo test NAME` is a test of another program.
    if failed > 0 || (verdicts.is_empty() && arguments.name.is_none()) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
