//! What a request gets: a file, a part of it, or the reason why not.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use super::folder::{Folder, Found};
use super::precondition::Validators;
use super::range::{Part, part};
use super::target;
use crate::http::head::{Fault, Fields, Request, Status, phrase};

/// Methods that HTTP defines (RFC 9110, section 9; RFC 5789) and we do not allow. Any other word
/// we have not even heard of: 501.
const NOT_ALLOWED: [&str; 7] = ["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

pub struct Answer {
    pub status: Status,
    pub fields: Fields,
    pub content: Content,
}

pub enum Content {
    Nothing,
    Text(String),
    /// This many bytes from where the file stands.
    File(File, u64),
    /// The time, line by line.
    Clock,
}

impl Answer {
    fn new(status: Status, content: Content) -> Self {
        Self { status, fields: Fields::default(), content }
    }

    /// A refusal in one line of text. Nothing that the client sent is repeated in it, so nobody can
    /// put words (or a script) into our mouth.
    pub fn refusal(fault: &Fault) -> Self {
        let Fault { status, why } = fault;
        let text = format!("{status} {}: {why}\n", phrase(*status));
        Self::new(*status, Content::Text(text)).with("Content-Type", "text/plain; charset=utf-8")
    }

    /// The end of a request whose precondition fails. A 304 repeats what a 200 would say of the
    /// version, and no more (RFC 9110, section 15.4.5).
    fn unmet(status: Status, validators: &Validators) -> Self {
        match &validators.tag {
            Some(tag) if status == 304 => Self::new(304, Content::Nothing).with("ETag", tag),
            None if status == 304 => Self::new(304, Content::Nothing),
            _ => Self::refusal(&Fault { status, why: "this is no longer the version asked for" }),
        }
    }

    fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.fields.add(name, value);
        self
    }
}

pub fn answer(request: &Request, folder: &Folder) -> Answer {
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        method if NOT_ALLOWED.contains(&method) => {
            let why = "this server only hands out files";
            // Without a list of what is allowed, a 405 is not complete (RFC 9110, 15.5.6).
            return Answer::refusal(&Fault { status: 405, why }).with("Allow", "GET, HEAD");
        }
        _ => return Answer::refusal(&Fault { status: 501, why: "this method is not known here" }),
    }
    found(request, folder).unwrap_or_else(|fault| Answer::refusal(&fault))
}

fn found(request: &Request, folder: &Folder) -> Result<Answer, Fault> {
    let (path, query) = target::path_and_query(&request.target)?;
    if path == "/time" {
        let no_validators = Validators::default();
        if let Some(status) = no_validators.failed_precondition(&request.fields) {
            return Ok(Answer::unmet(status, &no_validators));
        }
        let clock = Answer::new(200, Content::Clock);
        // The next one would be another one: nobody needs to keep it.
        return Ok(clock
            .with("Content-Type", "text/plain; charset=utf-8")
            .with("Cache-Control", "no-store"));
    }
    match folder.find(&target::resolve(path)?, path.ends_with('/'))? {
        Found::File { file, name } => file_answer(request, file, &name)
            .map_err(|_| Fault { status: 500, why: "the file cannot be read just now" }),
        // Relative links on its page would lead astray without the '/' (RFC 3986, section 5.2.3).
        Found::Folder => {
            let text = "301 Moved Permanently: with a '/' at the end\n".to_owned();
            let moved = Answer::new(301, Content::Text(text));
            Ok(moved
                .with("Location", format!("{path}/{query}"))
                .with("Content-Type", "text/plain; charset=utf-8"))
        }
    }
}

fn file_answer(request: &Request, file: File, name: &Path) -> io::Result<Answer> {
    let (about, fields) = (file.metadata()?, &request.fields);
    let validators = Validators::of(&about, SystemTime::now());
    if let Some(status) = validators.failed_precondition(fields) {
        return Ok(Answer::unmet(status, &validators));
    }
    let length = about.len();
    let part = if validators.allow_range(fields) { part(request, length) } else { Part::Whole };
    let mut answer = content(file, length, &part)?;
    if let Some(tag) = &validators.tag {
        answer = answer.with("ETag", tag);
    }
    // A client with If-Range has the other fields already (RFC 9110, section 15.3.7).
    if answer.status == 416 || answer.status == 206 && fields.first("If-Range").is_some() {
        return Ok(answer);
    }
    if let Some(date) = validators.modified {
        answer = answer.with("Last-Modified", date);
    }
    Ok(answer.with("Content-Type", media_type(name)).with("Accept-Ranges", "bytes"))
}

fn content(mut file: File, length: u64, part: &Part) -> io::Result<Answer> {
    Ok(match *part {
        Part::Whole => Answer::new(200, Content::File(file, length)),
        Part::Bytes { first, last } => {
            file.seek(SeekFrom::Start(first))?;
            Answer::new(206, Content::File(file, last - first + 1))
                .with("Content-Range", format!("bytes {first}-{last}/{length}"))
        }
        Part::Outside => {
            let why = "the file has no such bytes";
            Answer::refusal(&Fault { status: 416, why })
                .with("Content-Range", format!("bytes */{length}"))
        }
    })
}

/// What the file is, by its name, as that is all we know. Text is UTF-8 here, and says so: else
/// the client would have to guess.
fn media_type(name: &Path) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
    format!("{kind}{charset}")
}
