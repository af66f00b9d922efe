//! Measures whether the response time reveals the reason of a refusal. Causes every kind of refusal in turn, and compares
//! times and answers. `deploy/local/no-oracle` runs it; docs/threat-model.md has the figures.
//!
//! The measure is D, the greatest distance between two distribution functions (Kolmogorov and Smirnov): an attacker who sees
//! the time of one answer and knows both distributions guesses its kind right in (1 + D) / 2 of all cases.

#![allow(clippy::unwrap_used, reason = "a failed unwrap ends the measurement")]

mod kinds;
mod statistics;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use serde_json::json;
use tokio::task::JoinSet;

use kinds::{Kind, WARM_UP, World};
use statistics::{Sample, distance, noise};

#[derive(Parser)]
#[command(about = "Compares how long every kind of no takes")]
struct Arguments {
    /// Calls of each kind.
    #[arg(long, default_value_t = 1000)]
    calls: usize,
    /// Calls at once.
    #[arg(long, default_value_t = 4)]
    at_once: usize,
    /// Where no-oracle.json and no-oracle.md go.
    #[arg(long, default_value = "target/bench")]
    out: String,
    /// Cargo passes it.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let world = Arc::new(World::open(arguments.calls).await);
    for _ in 0..WARM_UP {
        world.round().await;
    }
    let rounds = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..arguments.at_once {
        let (world, rounds, calls) = (Arc::clone(&world), Arc::clone(&rounds), arguments.calls);
        workers.spawn(async move {
            let mut seen = Vec::new();
            while rounds.fetch_add(1, Ordering::Relaxed) < calls {
                seen.extend(world.round().await);
            }
            seen
        });
    }
    let seen = workers.join_all().await.concat();
    Arc::into_inner(world).unwrap().close();

    let mut report = String::new();
    let mut groups = Vec::new();
    let mut alike = true;
    for kinds in [&Kind::VERIFY[..], &Kind::REDEEM] {
        let samples: Vec<Sample> = kinds
            .iter()
            .map(|kind| Sample::new(seen.iter().filter(|call| call.kind == *kind).map(|call| call.time).collect()))
            .collect();
        writeln!(report, "\n| kind | calls | median ms | p90 ms | p99 ms | D to the first | D within itself | noise |")
            .unwrap();
        writeln!(report, "|---|---|---|---|---|---|---|---|").unwrap();
        for (kind, sample) in kinds.iter().zip(&samples) {
            let (d, itself, noise) =
                (distance(&samples[0], sample), sample.within_itself(), noise(&samples[0], sample));
            let [median, p90, p99] = [0.5, 0.9, 0.99].map(|share| sample.quantile(share).as_secs_f64() * 1e3);
            let (name, calls) = (kind.name(), sample.len());
            writeln!(
                report,
                "| {name} | {calls} | {median:.2} | {p90:.2} | {p99:.2} | {d:.3} | {itself:.3} | {noise:.3} |"
            )
            .unwrap();
            alike &= d <= noise;
            groups.push(json!({
                "kind": name, "calls": calls, "median_ms": median, "p90_ms": p90, "p99_ms": p99,
                "distance_to_first": d, "distance_within_itself": itself, "noise": noise,
            }));
        }
    }
    let answers_alike = kinds::answers_are_alike(&seen);
    writeln!(report, "\nTimes are alike, within noise: {alike}. Answers are alike to the byte: {answers_alike}.")
        .unwrap();
    println!("{report}");
    let out = Path::new(&arguments.out);
    fs::create_dir_all(out).unwrap();
    fs::write(out.join("no-oracle.md"), &report).unwrap();
    let document = json!({ "kinds": groups, "times_alike": alike, "answers_alike": answers_alike });
    fs::write(out.join("no-oracle.json"), format!("{document:#}\n")).unwrap();
    assert!(answers_alike, "the answers differ");
}
