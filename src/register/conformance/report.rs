//! What was checked, and with which result. Holds no value of a person.

/// One check.
pub struct Check {
    /// The name of the person or document in the file, or of the part of the contract.
    pub subject: String,
    /// What the contract or the file demands.
    pub demand: String,
    /// What is wrong, in plain words. `None`: passed.
    pub problem: Option<String>,
}

/// The checks in the order in which they were made.
#[derive(Default)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    /// Notes a check that passed, or what is wrong.
    pub(super) fn record(&mut self, subject: &str, demand: impl Into<String>, problem: Option<String>) {
        self.checks.push(Check { subject: subject.to_owned(), demand: demand.into(), problem });
    }

    /// Notes whether a demand is met. `problem` says what is wrong otherwise.
    pub(super) fn expect(&mut self, subject: &str, demand: impl Into<String>, is_met: bool, problem: &str) {
        self.record(subject, demand, (!is_met).then(|| problem.to_owned()));
    }

    #[must_use]
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.problem.is_some()).count()
    }
}
