//! In which language a command speaks: the one asked for, or the system's.

use course::Language;

/// The choice of a language, for any command that prints texts of the course.
#[derive(clap::Args)]
pub struct Lang {
    /// In English or Chinese [default: what your system speaks]
    #[arg(long, value_enum)]
    lang: Option<Code>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Code {
    En,
    Zh,
}

impl Lang {
    pub fn language(&self) -> Language {
        match self.lang {
            Some(Code::En) => Language::English,
            Some(Code::Zh) => Language::Chinese,
            None => Language::of_the_system(),
        }
    }
}
