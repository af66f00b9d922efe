//! What the register holds, as JSON: for registers in other languages, which serve the same people.

use anyhow::{Context as _, anyhow};
use made_up_world::people::People;
use made_up_world::register::Population as _;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use temporary_pin::proto::DESCRIPTOR_SET;
use temporary_pin::proto::identityregister::v1::DocumentKind;

/// `persons`: each reference with its answer. `documents`: each request with its answer. Messages are in protobuf's JSON form.
pub(crate) fn list(people: &People) -> anyhow::Result<Value> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).context("the contract")?;
    let mut persons = Vec::new();
    let mut documents = Vec::new();
    for person in people.all() {
        for number in [&person.cpr_number, &person.successor_cpr_number].into_iter().flatten() {
            if let Some(record) = people.person_by_cpr_number(number) {
                persons.push(json!({ "cpr_number": number, "person": to_json(&pool, "Person", &record)? }));
            }
        }
        if let Some(account) = &person.account
            && let Some(record) = people.person_by_mitid_uuid(account.mitid_uuid)
        {
            persons.push(json!({ "mitid_uuid": account.mitid_uuid, "person": to_json(&pool, "Person", &record)? }));
        }
        for document in &person.documents {
            let kind = DocumentKind::from_str_name(&format!("DOCUMENT_{}", document.kind.as_str_name()));
            let kind = kind.ok_or_else(|| anyhow!("the register has no kind {}", document.kind.as_str_name()))?;
            if let Some(record) = people.document(kind, document.issuer, &document.number) {
                let record = to_json(&pool, "Document", &record)?;
                let (issuer, number) = (document.issuer, &document.number);
                documents.push(
                    json!({ "kind": kind.as_str_name(), "issuer": issuer, "number": number, "document": record }),
                );
            }
        }
    }
    Ok(json!({ "persons": persons, "documents": documents }))
}

fn to_json(pool: &DescriptorPool, name: &str, message: &impl Message) -> anyhow::Result<Value> {
    let descriptor = pool.get_message_by_name(&format!("identityregister.v1.{name}")).context("no such message")?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message)?;
    Ok(serde_json::to_value(&dynamic)?)
}
