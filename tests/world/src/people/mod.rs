//! The people of the made-up world: a cast with a person for every rule, and generated persons.

mod changes;
mod cpr_data;
mod cpr_status;
mod documents;
mod entry;
pub mod expected;
pub mod facts;
mod generated;
mod mitid;
mod mrz;
mod ordinary;
mod person;
mod records;
mod unusual_documents;
mod witnesses;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde_json::{Value, json};
use temporary_pin::proto::temporarypin::v1::document::Kind as DocumentKind;
use uuid::Uuid;

pub use changes::Changes;
pub use generated::MAX_GENERATED as MAX_GENERATED_PERSONS;
pub use person::{Account, Document, Opening, Person, uuid_of};

/// All persons as they were when the sandbox started, with indexes, and what has changed since.
pub struct People {
    all: Vec<Person>,
    by_id: HashMap<String, usize>,
    by_cpr_number: HashMap<String, usize>,
    by_mitid_uuid: HashMap<Uuid, usize>,
    by_mobile_number: HashMap<String, usize>,
    /// Registered documents: the index of the holder, and that of the document among the holder's.
    by_document: HashMap<(DocumentKind, String, String), (usize, usize)>,
    /// By the id of the person.
    changes: RwLock<HashMap<String, Changes>>,
}

impl People {
    /// The cast, and `generated` ordinary persons made from `seed`.
    pub fn assemble(opening: Opening, generated: u32, seed: u64) -> Self {
        let parts = [
            ordinary::cast(opening),
            cpr_data::cast(opening),
            cpr_status::cast(opening),
            mitid::cast(opening),
            documents::cast(opening),
            unusual_documents::cast(opening),
            witnesses::cast(opening),
            generated::cast(opening, generated, seed),
        ];
        let mut people = Self {
            all: parts.into_iter().flatten().collect(),
            by_id: HashMap::new(),
            by_cpr_number: HashMap::new(),
            by_mitid_uuid: HashMap::new(),
            by_mobile_number: HashMap::new(),
            by_document: HashMap::new(),
            changes: RwLock::default(),
        };
        for (index, person) in people.all.iter().enumerate() {
            people.by_id.insert(person.id.clone(), index);
            for number in [&person.cpr_number, &person.successor_cpr_number].into_iter().flatten() {
                people.by_cpr_number.insert(number.clone(), index);
            }
            if let Some(account) = &person.account {
                people.by_mitid_uuid.insert(account.mitid_uuid, index);
            }
            if let Some(number) = person.mobile_number() {
                people.by_mobile_number.insert(number.to_owned(), index);
            }
            for (document_index, document) in
                person.documents.iter().enumerate().filter(|(_, document)| document.registered)
            {
                let key = (document.kind, document.issuer.to_owned(), document.number.clone());
                people.by_document.insert(key, (index, document_index));
            }
        }
        people
    }

    /// All persons, the cast first.
    pub fn all(&self) -> &[Person] {
        &self.all
    }

    /// Finds a person by the id that `GET /people` shows.
    pub fn by_id(&self, id: &str) -> Option<&Person> {
        self.by_id.get(id).map(|index| &self.all[*index])
    }

    /// Finds a person by CPR number, current or replaced.
    pub fn by_cpr_number(&self, number: &str) -> Option<&Person> {
        self.by_cpr_number.get(number).map(|index| &self.all[*index])
    }

    /// Finds a person by the UUID of the MitID account.
    pub fn by_mitid_uuid(&self, uuid: Uuid) -> Option<&Person> {
        self.by_mitid_uuid.get(&uuid).map(|index| &self.all[*index])
    }

    /// Changes a person, from now on.
    pub fn change(&self, person: &Person, later: Changes) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = changes.remove(&person.id).unwrap_or_default();
        changes.insert(person.id.clone(), earlier.followed_by(later));
    }

    /// What has changed about a person.
    fn changes_of(&self, person: &Person) -> Changes {
        self.changes.read().unwrap_or_else(PoisonError::into_inner).get(&person.id).cloned().unwrap_or_default()
    }

    /// The person as `GET /people` shows them: with the mobile number of now, and what has changed.
    pub fn entry(&self, person: &Person) -> Value {
        let (changes, mut entry) = (self.changes_of(person), person.to_json());
        if let Some(number) = &changes.mobile_number {
            entry["mobile_number"] = json!(Some(number).filter(|number| !number.is_empty()));
        }
        entry["changes"] = changes.to_json();
        entry
    }

    /// Finds a person by the registered mobile number.
    pub fn by_mobile_number(&self, number: &str) -> Option<&Person> {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, _)) = changes.iter().find(|(_, changes)| changes.mobile_number.as_deref() == Some(number)) {
            return self.by_id(id);
        }
        self.by_mobile_number.get(number).map(|index| &self.all[*index])
    }

    /// Finds a document that the register knows, with its holder.
    fn find_document(&self, kind: DocumentKind, issuer: &str, number: &str) -> Option<(&Person, &Document)> {
        let (person, document) = self.by_document.get(&(kind, issuer.to_owned(), number.to_owned()))?;
        let person = &self.all[*person];
        Some((person, &person.documents[*document]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, Utc};
    use temporary_pin::domain::answer::is_right;
    use temporary_pin::domain::fact::{Fact as DomainFact, FactKind};
    use temporary_pin::proto::identityregister::v1::mitid_account::State;

    use super::*;

    fn people(at: &str, generated: u32, seed: u64) -> People {
        let now: DateTime<Utc> = at.parse().unwrap();
        People::assemble(Opening::at(now), generated, seed)
    }

    /// Two persons share a phone on purpose.
    #[test]
    fn no_two_persons_share_an_id_a_cpr_number_or_a_document() {
        let people = people("2026-11-23T12:00:00Z", 20_000, 1);
        let total = people.all.len();
        let with = |has: fn(&Person) -> bool| people.all.iter().filter(|person| has(person)).count();
        assert_eq!(people.by_id.len(), total);
        assert_eq!(people.by_mitid_uuid.len(), with(|person| person.account.is_some()));
        assert_eq!(people.by_mobile_number.len() + 1, with(|person| person.mobile_number().is_some()));
        let replaced = with(|person| person.successor_cpr_number.is_some());
        assert_eq!(people.by_cpr_number.len(), with(|person| person.cpr_number.is_some()) + replaced);
        let documents = people.all.iter().flat_map(|person| &person.documents).filter(|document| document.registered);
        assert_eq!(people.by_document.len(), documents.count());
    }

    #[test]
    fn no_living_person_can_hold_a_cpr_number_of_the_cast() {
        let people = people("2026-11-23T12:00:00Z", 20_000, 1);
        for number in people.by_cpr_number.keys() {
            assert!(temporary_pin::domain::cpr::CprNumber::parse(number).is_ok(), "{number} is no CPR number");
            assert!((b'5'..=b'8').contains(&number.as_bytes()[6]), "{number} may be the number of a living person");
            assert!(number[4..6].parse::<u8>().unwrap() >= 58, "{number} may be the number of a living person");
        }
    }

    #[test]
    fn mobile_numbers_are_valid() {
        for number in people("2026-11-23T12:00:00Z", 20_000, 1).by_mobile_number.keys() {
            let parsed = rlibphonenumber::PHONE_NUMBER_UTIL.parse(number, None).unwrap();
            assert!(rlibphonenumber::PHONE_NUMBER_UTIL.is_valid_number(&parsed), "{number}");
        }
    }

    /// Each status of R12 has a person who shows it.
    #[test]
    fn the_cast_covers_every_cpr_status_and_account_state() {
        let people = people("2026-11-23T12:00:00Z", 0, 1);
        let mut statuses: BTreeSet<&str> = people.all.iter().map(|person| person.cpr_status).collect();
        let replaced = people.all.iter().filter(|person| person.successor_cpr_number.is_some());
        statuses.extend(replaced.map(|person| person.replaced_status));
        // 08 is no known code.
        let all = ["", "01", "03", "05", "07", "08", "10", "20", "30", "50", "60", "70", "80", "90", "97", "99"];
        assert_eq!(statuses, BTreeSet::from(all));
        let states: BTreeSet<_> =
            people.all.iter().map(|person| person.account.as_ref().map(|account| account.state as i32)).collect();
        let wanted = [None, Some(State::Active as i32), Some(State::Blocked as i32), Some(State::Closed as i32)];
        assert_eq!(states, BTreeSet::from(wanted));
    }

    /// No value of a fact is a right answer about another fact of the same kind, unless both have that value.
    #[test]
    fn r17_no_two_different_facts_pass_for_each_other() {
        let people = people("2026-11-23T12:00:00Z", 100, 1);
        let mut facts: BTreeSet<(FactKind, Vec<String>)> = BTreeSet::new();
        for fact in people.all.iter().flat_map(|person| &person.facts) {
            let name = fact.kind.as_str_name().trim_start_matches("KIND_").to_lowercase();
            let Some(kind) = FactKind::from_name(&name) else { continue };
            let further = fact.further_values.iter().map(ToString::to_string);
            facts.insert((kind, std::iter::once(fact.value.clone()).chain(further).collect()));
        }
        assert!(facts.len() > 100, "{}", facts.len());
        for (kind, values) in &facts {
            let fact = [DomainFact { kind: *kind, values: values.clone(), certain: true }];
            for (_, others) in facts.iter().filter(|(other, _)| other == kind) {
                for answer in others {
                    let is_expected = values.contains(answer);
                    assert_eq!(is_right(*kind, answer, &fact), is_expected, "{kind:?}: {answer} for {values:?}");
                }
            }
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_persons() {
        let names = |seed| -> Vec<String> {
            people("2026-11-23T12:00:00Z", 50, seed).all.iter().map(|person| person.to_json().to_string()).collect()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }

    /// Days begin in Copenhagen, one or two hours before UTC. 13 years after a 29 February there is no 29 February.
    #[test]
    fn the_children_turn_thirteen_today_and_tomorrow() {
        for (at, today, tomorrow, midnight) in [
            ("2026-11-23T12:00:00Z", "2013-11-23", "2013-11-24", "2026-11-23T23:00:00Z"),
            ("2026-11-23T23:30:00Z", "2013-11-24", "2013-11-25", "2026-11-24T23:00:00Z"),
            ("2026-06-30T22:10:00Z", "2013-07-01", "2013-07-02", "2026-07-01T22:00:00Z"),
            ("2028-02-28T12:00:00Z", "2015-02-28", "2015-03-01", "2028-02-29T23:00:00Z"),
            ("2028-02-29T12:00:00Z", "2015-02-28", "2015-03-01", "2028-02-29T23:00:00Z"),
        ] {
            let people = people(at, 0, 1);
            assert_eq!(people.by_id("thirteen-today").unwrap().birth_date.to_string(), today, "{at}");
            let younger = people.by_id("thirteen-tomorrow").unwrap();
            assert_eq!(younger.birth_date.to_string(), tomorrow, "{at}");
            assert_eq!(younger.to_json()["expected"]["web"]["next_attempt_time"], midnight, "{at}");
        }
    }
}
