//! `temporary-pin migrate`: brings the database schema up to date and grants the service's role its rights.

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use temporary_pin::config::Config;
use temporary_pin::store;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let pool = store::connect(config.postgres.url.expose_secret(), &config.postgres.pool)?;
    store::migrate(&pool).await?;
    store::audit::audit_seals::set_retention(&pool, config.retention.audit_events).await?;
    println!("the schema is up to date");
    if let Some(role) = &config.postgres.service_role {
        store::rights::grant(&pool, role).await.context("postgres.service_role")?;
        println!("{role} may do what the service needs, and nothing else");
    }
    Ok(())
}
