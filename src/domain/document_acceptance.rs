//! Which documents are accepted by phone, at the counter and of witnesses (R15, R19, R20).

use chrono::NaiveDate;

use super::document::{CprNumberShown, Document, DocumentKind, RegisteredDocument, SupportingDocument};
use super::document_list::{DocumentList, DocumentRules};
use super::document_problem::DocumentProblem;
use super::mrz::Mrz;
use super::person::Person;

/// R15: checks a document that a person reads out on the phone. `list`: the documents that the phone accepts. `registered`: what
/// the register knows of the document.
pub fn judge_phone_document(
    document: &Document,
    registered: Option<&RegisteredDocument>,
    person: &Person,
    list: &DocumentList,
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    if !list.contains(document) {
        return Err(DocumentProblem::NotAccepted);
    }
    judge_registered_document(registered.ok_or(DocumentProblem::NotFound)?, person, today)
}

/// R20: checks the document of a witness. It must be in the register if the counter would accept it by itself. Otherwise the
/// register need not know it, but what the register knows of it counts.
pub fn judge_witness_document(
    document: &Document,
    registered: Option<&RegisteredDocument>,
    witness: &Person,
    rules: &DocumentRules,
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    if !rules.witness.contains(document) {
        return Err(DocumentProblem::NotAccepted);
    }
    match registered {
        Some(registered) => judge_registered_document(registered, witness, today),
        None if rules.counter.contains(document) => Err(DocumentProblem::NotFound),
        None => judge_expiry_date(document.expiry_date, today),
    }
}

/// R20: whether the document of a witness cannot be judged because nothing tells until when it is valid.
#[must_use]
pub fn witness_lacks_expiry_date(
    document: &Document,
    registered: Option<&RegisteredDocument>,
    rules: &DocumentRules,
) -> bool {
    let may_be_unknown = rules.witness.contains(document) && !rules.counter.contains(document);
    may_be_unknown && registered.is_none() && document.expiry_date.is_none()
}

/// What a clerk has in hand.
#[derive(Clone, Copy)]
pub struct DocumentInHand<'a> {
    pub document: &'a Document,
    /// The document's machine readable zone, if it was scanned.
    pub mrz: Option<&'a Mrz>,
    pub supporting: Option<SupportingDocument>,
}

impl DocumentInHand<'_> {
    /// R19: whether the counter accepts such a document, with what comes beside it.
    #[must_use]
    pub fn is_accepted(&self, rules: &DocumentRules) -> bool {
        let suffices = rules.counter.contains(self.document) && self.has_required_cpr_number(rules);
        suffices
            || (self.is_supported() && (rules.counter.contains(self.document) || self.is_listed_as_supported(rules)))
    }

    /// Whether the document cannot be judged because nothing tells until when it is valid.
    #[must_use]
    pub fn lacks_expiry_date(
        &self,
        registered: Option<&RegisteredDocument>,
        rules: &DocumentRules,
        today: NaiveDate,
    ) -> bool {
        self.is_accepted(rules)
            && self.may_be_unknown(rules)
            && registered.is_none()
            && self.expiry_date(today).is_none()
    }

    /// Whether the register need not know the document. It knows the documents of each issuer in the list `counter`, all but the
    /// cards of municipalities.
    fn may_be_unknown(&self, rules: &DocumentRules) -> bool {
        let is_municipal = self.document.kind == DocumentKind::MunicipalIdentityCard;
        let is_registered = rules.counter.issuer_codes().any(|code| code == self.document.issuer);
        self.is_listed_as_supported(rules) && (is_municipal || !is_registered)
    }

    fn is_listed_as_supported(&self, rules: &DocumentRules) -> bool {
        !rules.counter.contains(self.document) && rules.counter_supported.contains(self.document)
    }

    /// Whether the document shows a CPR number, or is of a kind that suffices without one.
    fn has_required_cpr_number(&self, rules: &DocumentRules) -> bool {
        let is_in_zone = self.mrz.is_some_and(|mrz| mrz.cpr_number().is_some());
        !self.is_cpr_number_required()
            || is_in_zone
            || match self.document.cpr_number_shown {
                CprNumberShown::Yes => true,
                CprNumberShown::No => false,
                CprNumberShown::Unstated => !rules.cpr_number_must_be_stated,
            }
    }

    /// Whether the register says that the document shows no CPR number, and nothing else comes with it. The register is asked about
    /// the person's own documents only; another answer would tell about another person's document.
    fn lacks_cpr_number_in_register(&self, registered: &RegisteredDocument) -> bool {
        self.is_cpr_number_required() && registered.cpr_number_shown == CprNumberShown::No && !self.is_supported()
    }

    /// Whether a document of this kind suffices only if it shows the CPR number.
    const fn is_cpr_number_required(&self) -> bool {
        matches!(self.document.kind, DocumentKind::Passport | DocumentKind::ResidencePermit)
    }

    /// Whether another document comes with it. A municipal card is none for a municipal card.
    fn is_supported(&self) -> bool {
        let is_the_same = self.document.kind == DocumentKind::MunicipalIdentityCard
            && self.supporting == Some(SupportingDocument::MunicipalIdentityCard);
        self.supporting.is_some() && !is_the_same
    }

    /// The last day of validity that the clerk has seen, or that the zone tells.
    fn expiry_date(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.document.expiry_date.or_else(|| self.mrz?.expiry_date(today))
    }

    /// R19: whether zone, fields, person and register agree.
    fn agrees(&self, registered: Option<&RegisteredDocument>, person: &Person, today: NaiveDate) -> bool {
        let in_zone = self.mrz.and_then(|mrz| mrz.expiry_date(today));
        let stated = self.document.expiry_date;
        let is_zone_as_stated = in_zone.is_none() || stated.is_none() || in_zone == stated;
        let can_show = |registered: &RegisteredDocument| {
            [in_zone, stated].into_iter().flatten().all(|date| registered.can_show(date))
        };
        self.mrz.is_none_or(|mrz| mrz.agrees_with(self.document, person.birth_date))
            && is_zone_as_stated
            && registered.is_none_or(can_show)
    }
}

/// R19: checks a document that a clerk has in hand.
pub fn judge_counter_document(
    in_hand: &DocumentInHand<'_>,
    registered: Option<&RegisteredDocument>,
    person: &Person,
    rules: &DocumentRules,
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    if !in_hand.is_accepted(rules) {
        return Err(DocumentProblem::NotAccepted);
    }
    match registered {
        Some(registered) if !registered.belongs_to(person) => return Err(DocumentProblem::NotTheirs),
        Some(registered) if in_hand.lacks_cpr_number_in_register(registered) => {
            return Err(DocumentProblem::NotAccepted);
        }
        None if !in_hand.may_be_unknown(rules) => return Err(DocumentProblem::NotFound),
        Some(_) | None => {}
    }
    if !in_hand.agrees(registered, person, today) {
        return Err(DocumentProblem::Disagrees);
    }
    if in_hand.mrz.is_some_and(Mrz::is_temporary) {
        return Err(DocumentProblem::NotValid);
    }
    match registered {
        Some(registered) => judge_registered_document(registered, person, today),
        None => judge_expiry_date(in_hand.expiry_date(today), today),
    }
}

/// Checks owner and validity of a document that the register knows.
fn judge_registered_document(
    registered: &RegisteredDocument,
    person: &Person,
    today: NaiveDate,
) -> Result<(), DocumentProblem> {
    if !registered.belongs_to(person) {
        Err(DocumentProblem::NotTheirs)
    } else if registered.is_valid_on(today) {
        Ok(())
    } else {
        Err(DocumentProblem::NotValid)
    }
}

/// Checks the validity of a document that the register does not know. Without a date, it counts as expired.
fn judge_expiry_date(expiry_date: Option<NaiveDate>, today: NaiveDate) -> Result<(), DocumentProblem> {
    if expiry_date.is_some_and(|date| today <= date) { Ok(()) } else { Err(DocumentProblem::NotValid) }
}

#[cfg(test)]
mod tests;
