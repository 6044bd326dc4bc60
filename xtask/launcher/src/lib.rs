//! What the launcher and `xtask` both do: have cargo build a program that somebody waits for, with a
//! word about it where it takes time, and hand over to the program.

pub mod building;
pub mod handover;
pub mod up_to_date;
