//! `cargo xtask bench`: our programs and others, measured in turn.

#[allow(dead_code)] // until `bench echo` calls it
pub mod echo_load;
