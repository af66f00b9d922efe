//! Properties of the rules, tested with random input. The expected results are computed independently of the code under test.

mod age;
mod answer;
mod answer_variants;
mod cpr;
mod eligibility;
mod hold;
mod mobile;
mod mrz;
mod pin;
mod question;
mod specimen_zones;
