//! Properties of the rules over spaces too large for tables. Each oracle is written apart from the code that it checks.

mod age;
mod answer;
mod cpr;
mod eligibility;
mod hold;
mod mobile;
mod mrz;
mod pin;
mod question;
