//! How much of the same a test does.
//!
//! Some tests are worth more the longer they run: one more made-up network, one more gibibyte. In
//! `cargo test` they do a little of it, as somebody waits; where `DEEP` is set, all of it. The package
//! `deep` runs them so.

/// The variable that asks for all of it.
pub const VARIABLE: &str = "DEEP";

/// `few`, or `all` where somebody has the time.
#[must_use]
pub fn few_or_all<T>(few: T, all: T) -> T {
    if std::env::var_os(VARIABLE).is_some() { all } else { few }
}
