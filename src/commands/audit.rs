//! `temporary-pin audit`: verifies the audit, and exports what is on record about a person.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use temporary_pin::audit::{self, Export, Report, SealHead};
use temporary_pin::clock::{Clock as _, SystemClock};
use temporary_pin::config::Config;
use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::person::{MitidUuid, PersonReference};
use temporary_pin::domain::stated_reason::StatedReason;
use temporary_pin::keys::KeyRing;
use temporary_pin::register::Register;
use temporary_pin::store::{self, InstanceKeys};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Walk the chain of seals and compare every audit row with it.
    ///
    /// Exit status: 0 if the audit is unchanged; 3 if it was changed (the first difference is printed); 1 if it could not be
    /// read. Store the printed head elsewhere. A later run with --expect-head then detects that the last seals were removed.
    Verify {
        /// The first seal to check. Earlier seals, and the rows that they cover, are left out.
        #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        from: i64,
        /// The head that an earlier run or the log printed. It must still be in the chain.
        #[arg(long, value_name = "NUMBER:MAC")]
        expect_head: Option<SealHead>,
    },
    /// Write what is on record about one person, in the form in which the person may receive it: a line of JSON per event,
    /// the latest first.
    ///
    /// Each line has the time, the action, its purpose, the reason and the channel, but not the agent or operator. The
    /// register is asked for the person's other identifier, because events may be stored under it too. The export is itself
    /// put on record.
    Export(ExportArguments),
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    person: PersonArguments,
    /// The reason of the export, in one line. The person will read it.
    #[arg(long, default_value = "the person asked for their data", value_parser = StatedReason::parse)]
    reason: StatedReason,
    /// The name of the operator who exports, for the audit.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    operator: String,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct PersonArguments {
    /// The person's CPR number is on standard input, because other users of the machine can see arguments. The value is
    /// always `-`.
    #[arg(long, value_name = "-", value_parser = ["-"])]
    cpr_number: Option<String>,
    /// The UUID of the person's MitID account is on standard input. The value is always `-`.
    #[arg(long, value_name = "-", value_parser = ["-"])]
    mitid_uuid: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(command: AuditCommand, config: &Config) -> anyhow::Result<()> {
    let keys = config.key_ring()?;
    let instance_keys = InstanceKeys::new(keys.pseudonym_key_id(), keys.check_values());
    let (url, settings) = (config.postgres.url.expose_secret(), &config.postgres.pool);
    match command {
        AuditCommand::Verify { from, expect_head } => {
            let pool = store::connect(url, settings)?;
            store::compare_keys(&pool, &instance_keys).await?;
            print_report(&audit::verify(&pool, &keys, from, expect_head.as_ref(), SystemClock.now()).await?);
            Ok(())
        }
        AuditCommand::Export(arguments) => {
            // Connects only if the rows are stored under the active pseudonym key of this key ring: the export finds rows by
            // pseudonyms, and writes a row.
            let pool = store::connect_instance(url, settings, move || instance_keys.clone())?;
            export(&arguments, config, &keys, &pool).await
        }
    }
}

fn print_report(report: &Report) {
    let Report { seals, events, purged, waiting, .. } = report;
    println!("the audit is as it was written");
    println!("seals:  {seals} checked");
    println!("events: {events} checked, {purged} purged, {waiting} not sealed yet");
    if let Some(oldest) = report.oldest_waiting {
        println!("        the oldest was written at {oldest}; a running service seals it within seconds");
    }
    if let (Some(first), Some(last)) = (report.clock_disagreements.first(), report.clock_disagreements.last()) {
        println!(
            "clocks: the times of {} seals from {first} to {last} disagree with later seals: a clock was wrong",
            report.clock_disagreements.len()
        );
        println!("        whether events were inserted later is not checked against these");
    }
    match &report.head {
        Some(head) => println!("head:   {head}"),
        None => println!("head:   none"),
    }
}

async fn export(arguments: &ExportArguments, config: &Config, keys: &KeyRing, pool: &PgPool) -> anyhow::Result<()> {
    let reference = read_person(&arguments.person)?;
    let register = Register::connect_lazy(config.register.clone()).context("register")?;
    // The register is required: without the person's other identifier, the export could be incomplete.
    let person = register.look_up_person(&reference).await?;
    let export = Export { operator: &arguments.operator, reason: &arguments.reason, now: SystemClock.now() };
    let mut out = std::io::stdout().lock();
    audit::export(pool, keys, &reference, person.as_ref(), &export, |line| {
        writeln!(out, "{line}").context("cannot write to stdout")
    })
    .await
}

/// Reads the person's identifier from standard input. Error messages do not contain it.
fn read_person(arguments: &PersonArguments) -> anyhow::Result<PersonReference> {
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    let text = text.trim();
    if arguments.cpr_number.is_some() {
        let number = CprNumber::parse(text).map_err(|error| anyhow!("--cpr-number: {error}"))?;
        Ok(PersonReference::Cpr(number))
    } else {
        let uuid = text.parse().map_err(|_| anyhow!("--mitid-uuid: must be a UUID"))?;
        Ok(PersonReference::Mitid(MitidUuid(uuid)))
    }
}
