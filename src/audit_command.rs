//! The commands of `temporary-pin audit`.

use clap::Subcommand;
use secrecy::ExposeSecret as _;
use temporary_pin::audit::{self, Head, Report};
use temporary_pin::config::Config;
use temporary_pin::store;

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
        expect_head: Option<Head>,
    },
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(command: AuditCommand, config: &Config) -> anyhow::Result<()> {
    let keys = config.key_ring()?;
    let pool = store::connect(config.postgres.url.expose_secret(), &config.postgres.pool)?;
    match command {
        AuditCommand::Verify { from, expect_head } => {
            print(&audit::verify(&pool, &keys, from, expect_head.as_ref()).await?);
        }
    }
    Ok(())
}

fn print(report: &Report) {
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
