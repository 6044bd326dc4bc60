//! Every graded check on its solution, as one program for `cargo test`. The grader builds the tests of
//! one lesson at a time, each as a program of its own (`tests/Cargo.toml`).

#[path = "../lesson_01/main.rs"]
mod lesson_01;
#[path = "../lesson_02/main.rs"]
mod lesson_02;
#[path = "../lesson_03/main.rs"]
mod lesson_03;
#[path = "../lesson_04/main.rs"]
mod lesson_04;
#[path = "../lesson_05/main.rs"]
mod lesson_05;
#[path = "../lesson_06/main.rs"]
mod lesson_06;
#[path = "../lesson_07/main.rs"]
mod lesson_07;
#[path = "../lesson_08/main.rs"]
mod lesson_08;
#[path = "../lesson_09/main.rs"]
mod lesson_09;
#[path = "../lesson_10/main.rs"]
mod lesson_10;

mod built;
mod http_heads;
