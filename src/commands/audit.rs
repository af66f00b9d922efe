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
use temporary_pin::store;
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Walk the chain of seals and compare every audit row with it.
    ///
    /// Ends with 0 when all is as it was written, with 3 and the first thing that is not, and with 1 when it could not be
    /// read. The head that it prints, kept somewhere else, makes a later run notice when the last seals are cut off.
    Verify {
        /// The first seal to check. Those before it, and the rows that they cover, are left out.
        #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        from: i64,
        /// A head that an earlier run or the log told, which must still be in the chain.
        #[arg(long, value_name = "NUMBER:MAC")]
        expect_head: Option<SealHead>,
    },
    /// Write what is on record about one person, as that person may have it: a line of JSON per event, the latest first.
    ///
    /// When, what, what for, why and through which channel; neither agent nor operator. The register is asked for the
    /// person's other identifier, under which there may be events too. The export is itself put on record.
    Export(ExportArguments),
}

#[derive(Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    person: PersonArguments,
    /// Why, in one line, as the person will read it.
    #[arg(long, default_value = "the person asked for their data", value_parser = StatedReason::parse)]
    reason: StatedReason,
    /// Who exports, for the audit.
    #[arg(long, value_name = "NAME", default_value = "command line")]
    operator: String,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct PersonArguments {
    /// The person's CPR number is on standard input. It is never an argument, which others on the machine can see.
    #[arg(long, value_name = "-", value_parser = ["-"])]
    cpr_number: Option<String>,
    /// The UUID of the person's MitID account is on standard input.
    #[arg(long, value_name = "-", value_parser = ["-"])]
    mitid_uuid: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(command: AuditCommand, config: &Config) -> anyhow::Result<()> {
    let keys = config.key_ring()?;
    let (url, settings) = (config.postgres.url.expose_secret(), &config.postgres.pool);
    match command {
        AuditCommand::Verify { from, expect_head } => {
            let pool = store::connect(url, settings)?;
            print_report(&audit::verify(&pool, &keys, from, expect_head.as_ref()).await?);
            Ok(())
        }
        AuditCommand::Export(arguments) => {
            // Only while the rows are under this ring's pseudonym key: the export finds rows by pseudonyms, and writes one.
            let pool = store::connect_instance(url, settings, keys.pseudonym_key_id())?;
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
        println!("        the oldest of these is of {oldest}; a running service seals it within seconds");
    }
    match &report.head {
        Some(head) => println!("head:   {head}"),
        None => println!("head:   none"),
    }
}

async fn export(arguments: &ExportArguments, config: &Config, keys: &KeyRing, pool: &PgPool) -> anyhow::Result<()> {
    let reference = read_person(&arguments.person)?;
    let register = Register::connect_lazy(config.register.clone()).context("register")?;
    // The register is required. Without the person's other identifier, events could be missing without a notice.
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
