//! A thief has dumps of Postgres and Redis, all logs, and the source, but not the key ring. Trying all candidates finds no
//! PIN, no CPR number and no mobile number. As a control, the same trials with the key ring find each of them.
//!
//! The ordinary test tries some candidates, including the true ones. `deploy/local/dump-trials` tries all. Its results are in
//! docs/threat-model.md.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Instant;

use aws_lc_rs::{digest, hmac};
use chrono::NaiveDate;
use serde_json::{Value, json};
use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::person::MitidUuid;
use temporary_pin::domain::pin::{Pin, PinVerifier};
use temporary_pin::keys::KeyRing;
use test_support::acts::pin_in;
use test_support::calls::uuid;
use test_support::person::{Person, unknown_person};
use test_support::sandbox::Sandbox;
use test_support::world::World;
use uuid::Uuid;

use crate::dump;

/// The CPR number of [`unknown_person`], whom the register does not know.
const UNKNOWN_CPR_NUMBER: &str = "0101585999";

/// How many candidates of each kind to try.
struct TrialSize {
    pins: u32,
    cpr_dates: usize,
    mobile_numbers: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_without_the_key_ring_reveals_nothing() {
    Trial::prepare().await.run(&TrialSize { pins: 2_000, cpr_dates: 1, mobile_numbers: 2_000 });
}

/// Tries all PINs, all CPR numbers of the victim's birth year, and all Danish mobile numbers that fit the masked number.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes many minutes: deploy/local/dump-trials"]
async fn a_dump_without_the_key_ring_resists_trying_all_candidates() {
    Trial::prepare().await.run(&TrialSize { pins: 100_000_000, cpr_dates: 366, mobile_numbers: 1_000_000 });
}

/// The data that the thief has, and the values to find.
struct Trial {
    /// Every value of 32 bytes in the dump: MACs, pseudonyms, digests.
    digests: HashSet<[u8; 32]>,
    pin_request: Uuid,
    verifier: PinVerifier,
    masked_mobile_number: String,
    /// Only for the control.
    ring: KeyRing,
    victim: Person,
    pin: String,
}

/// A guess at how the digests are made: without a key, or with a key that a careless operator may have set.
struct KeyGuess {
    name: String,
    key: Option<hmac::Key>,
}

impl KeyGuess {
    fn all() -> Vec<Self> {
        let keyed = |name: &str, key: &[u8]| Self {
            name: format!("HMAC-SHA-256 under {name}"),
            key: Some(hmac::Key::new(hmac::HMAC_SHA256, key)),
        };
        let named = digest::digest(&digest::SHA256, b"temporary-pin");
        vec![
            Self { name: "SHA-256".to_owned(), key: None },
            keyed("zeros", &[0; 32]),
            keyed("the service's name", b"temporary-pin"),
            keyed("the digest of the service's name", named.as_ref()),
        ]
    }

    fn digest(&self, value: &[u8]) -> [u8; 32] {
        let bytes = |digest: &[u8]| <[u8; 32]>::try_from(digest).unwrap();
        match &self.key {
            None => bytes(digest::digest(&digest::SHA256, value).as_ref()),
            Some(key) => bytes(hmac::sign(key, value).as_ref()),
        }
    }
}

impl Trial {
    /// The victim orders a PIN, and a call names an unknown person. Then all stored data and logs are dumped.
    async fn prepare() -> Self {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dump-{}.log", uuid()));
        let mut command = Sandbox::command(&[]);
        command.env("RUST_LOG", "trace").stderr(File::create(&log).unwrap());
        let world = World::with_sandbox(Sandbox::spawn(command)).await;
        let victim = world.person("bjarne").await;
        world.call_support_with(unknown_person(), victim.document()).await.unwrap();
        world.sandbox.post("/gateway", json!({ "mode": "down" })).await;
        let verification = world.identify(&victim).await;
        world.issue("phone", &verification).await.unwrap();
        let dump = dump::dump_all(&world).await + &fs::read_to_string(&log).unwrap();
        world.sandbox.post("/gateway", json!({ "mode": "accept" })).await;
        world.advance(chrono::TimeDelta::seconds(40)).await;
        let pin = pin_in(world.texts(&victim).await.last().unwrap());
        fs::remove_file(log).unwrap();

        let rows = dump.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let row = rows.clone().find(|row| row["verifier_mac"].is_string()).unwrap();
        let bytes = |field: &str| from_hex(row[field].as_str().unwrap().trim_start_matches("\\x")).unwrap();
        Self {
            digests: digests_in(&dump),
            pin_request: row["id"].as_str().unwrap().parse().unwrap(),
            verifier: PinVerifier {
                key_id: i32::try_from(row["verifier_key_id"].as_i64().unwrap()).unwrap(),
                salt: bytes("verifier_salt").try_into().unwrap(),
                mac: bytes("verifier_mac").try_into().unwrap(),
            },
            masked_mobile_number: row["masked_mobile_number"].as_str().unwrap().to_owned(),
            ring: world.key_ring(),
            victim,
            pin,
        }
    }

    fn run(&self, size: &TrialSize) {
        assert!(self.digests.contains(&self.verifier.mac), "the dump contains the verifier");
        let guesses = KeyGuess::all();
        self.try_pins(&guesses, size);
        self.try_cpr_numbers(&guesses, size);
        self.try_mobile_numbers(&guesses, size);
    }

    fn try_pins(&self, guesses: &[KeyGuess], size: &TrialSize) {
        let true_pin: u32 = self.pin.parse().unwrap();
        // The candidates include the true PIN.
        let first = true_pin.saturating_sub(size.pins / 2).min(100_000_000 - size.pins);
        let candidates = first..first + size.pins;
        let input = [&self.verifier.salt[..], self.pin_request.as_bytes(), &[0; 8]].concat();
        for guess in guesses {
            let found = search("PINs", &guess.name, candidates.clone(), |pin| {
                let mut input: [u8; 40] = input[..].try_into().unwrap();
                input[32..].copy_from_slice(&eight_digits(pin));
                guess.digest(&input) == self.verifier.mac
            });
            assert!(found.is_empty(), "{}: {found:?}", guess.name);
        }
        let found = search("PINs", "the key ring", candidates, |pin| {
            let pin = Pin::parse(std::str::from_utf8(&eight_digits(pin)).unwrap()).unwrap();
            self.ring.pin_matches(self.pin_request, &pin, &self.verifier)
        });
        assert_eq!(found, [true_pin], "the key ring finds the value");
    }

    fn try_cpr_numbers(&self, guesses: &[KeyGuess], size: &TrialSize) {
        let victims = self.victim.0["cpr_number"].as_str().unwrap().replace('-', "");
        for cpr_number in [&*victims, UNKNOWN_CPR_NUMBER] {
            let days = days_of_the_year(cpr_number, size.cpr_dates);
            let candidates = 0..u32::try_from(days.len() * 10_000).unwrap();
            let number = |index: u32| format!("{}{:04}", days[index as usize / 10_000], index % 10_000);
            for guess in guesses {
                let found = search("CPR numbers", &guess.name, candidates.clone(), |index| {
                    let number = number(index);
                    let values = [number.clone(), format!("person.cpr\0{number}")];
                    values.iter().any(|value| self.digests.contains(&guess.digest(value.as_bytes())))
                });
                assert!(found.is_empty(), "{}: {found:?}", guess.name);
            }
            let found = search("CPR numbers", "the key ring", candidates, |index| {
                let number = CprNumber::parse(&number(index));
                number.is_ok_and(|number| self.digests.contains(&self.ring.person_key_by_cpr(&number).0))
            });
            // A person with MitID is stored under the UUID, which is random. Not even the key ring finds that CPR number.
            let numbers: Vec<String> = found.into_iter().map(number).collect();
            let expected: Vec<&str> = days
                .iter()
                .any(|day| *day == UNKNOWN_CPR_NUMBER[..6])
                .then_some(UNKNOWN_CPR_NUMBER)
                .into_iter()
                .collect();
            assert_eq!(numbers, expected);
        }
        let uuid = MitidUuid(self.victim.0["mitid_uuid"].as_str().unwrap().parse().unwrap());
        assert!(self.digests.contains(&self.ring.person_key(uuid).0), "the victim is stored under the UUID");
    }

    fn try_mobile_numbers(&self, guesses: &[KeyGuess], size: &TrialSize) {
        let victims = self.victim.mobile_number();
        let shown = &self.masked_mobile_number[self.masked_mobile_number.len() - 2..];
        assert!(victims.starts_with("+45") && victims.ends_with(shown), "the dump contains the last two digits");
        let hidden: u32 = victims[3..victims.len() - 2].parse().unwrap();
        let first = hidden.saturating_sub(size.mobile_numbers / 2).min(1_000_000 - size.mobile_numbers);
        let candidates = first..first + size.mobile_numbers;
        let number = |hidden: u32| format!("+45{hidden:06}{shown}");
        for guess in guesses {
            let found = search("mobile numbers", &guess.name, candidates.clone(), |hidden| {
                let number = number(hidden);
                let values = [&number, &number[1..], &number[3..], &format!("mobile\0{number}")];
                values.iter().any(|value| self.digests.contains(&guess.digest(value.as_bytes())))
            });
            assert!(found.is_empty(), "{}: {found:?}", guess.name);
        }
        let found = search("mobile numbers", "the key ring", candidates, |hidden| {
            let number = MobileNumber::parse(&number(hidden));
            number.is_ok_and(|number| self.digests.contains(&self.ring.mobile_key(&number).0))
        });
        assert_eq!(found, [hidden], "the key ring finds the value");
    }
}

fn eight_digits(number: u32) -> [u8; 8] {
    let mut rest = number;
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap();
        rest /= 10;
    }
    digits
}

/// Tries all candidates on all cores, and prints the time. Returns the candidates that match.
fn search(what: &str, how: &str, candidates: std::ops::Range<u32>, is_match: impl Fn(u32) -> bool + Sync) -> Vec<u32> {
    let begin = Instant::now();
    let threads = u32::try_from(thread::available_parallelism().unwrap().get()).unwrap();
    let mut found: Vec<u32> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let share = (candidates.end - candidates.start).div_ceil(threads);
                let begin = candidates.start + worker * share;
                let (candidates_of_worker, is_match) = (begin..(begin + share).min(candidates.end), &is_match);
                scope.spawn(move || candidates_of_worker.filter(|candidate| is_match(*candidate)).collect::<Vec<u32>>())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    found.sort_unstable();
    let (tried, time) = (candidates.len(), begin.elapsed().as_secs_f64());
    println!("{what}: {tried} tried with {how} in {time:.1} s on {threads} threads, {} found", found.len());
    found
}

/// The first six digits of CPR numbers of one birth year: the day of `number` first, then the remaining days, `days` in all.
fn days_of_the_year(number: &str, days: usize) -> Vec<String> {
    let year: i32 = 1900 + number[4..6].parse::<i32>().unwrap();
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let own = number[..6].to_owned();
    let all = first.iter_days().take_while(|day| day.format("%Y").to_string() == year.to_string());
    let others = all.map(|day| day.format("%d%m%y").to_string()).filter(|day| *day != own);
    [own.clone()].into_iter().chain(others).take(days).collect()
}

/// Every value of 32 bytes in the dump. Postgres and the keys of Redis show such values as hexadecimal digits.
fn digests_in(dump: &str) -> HashSet<[u8; 32]> {
    let runs = dump.split(|character: char| !character.is_ascii_hexdigit()).filter(|run| run.len() == 64);
    runs.filter_map(|run| from_hex(run)?.try_into().ok()).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |place| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}
