//! What a request gets: a file, a part of it, or the reason why not.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use httpdate::{fmt_http_date, parse_http_date};

use super::folder::{Folder, Found};
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
    /// So many bytes from where the file stands.
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
    let path = target::path(&request.target)?;
    if path == "/time" {
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
                .with("Location", format!("{path}/"))
                .with("Content-Type", "text/plain; charset=utf-8"))
        }
    }
}

fn file_answer(request: &Request, mut file: File, name: &Path) -> io::Result<Answer> {
    let about = file.metadata()?;
    let (length, now) = (about.len(), SystemTime::now());
    // Never later than this answer's Date (RFC 9110, section 8.8.2.1).
    let modified = about.modified().map_or(now, |modified| modified.min(now));
    let dated = |answer: Answer| answer.with("Last-Modified", fmt_http_date(modified));
    if is_known(request, modified) {
        return Ok(dated(Answer::new(304, Content::Nothing)));
    }
    let answer = match part(request, length) {
        Part::Whole => Answer::new(200, Content::File(file, length)),
        Part::Bytes { first, last } => {
            file.seek(SeekFrom::Start(first))?;
            Answer::new(206, Content::File(file, last - first + 1))
                .with("Content-Range", format!("bytes {first}-{last}/{length}"))
        }
        Part::Outside => {
            let why = "the file has no such bytes";
            return Ok(Answer::refusal(&Fault { status: 416, why })
                .with("Content-Range", format!("bytes */{length}")));
        }
    };
    Ok(dated(answer).with("Content-Type", media_type(name)).with("Accept-Ranges", "bytes"))
}

/// Whether the client has this version already (RFC 9110, section 13.1.3). A date has no parts of
/// a second. `If-None-Match` asks by a tag, which our files have not: then the date does not count.
fn is_known(request: &Request, modified: SystemTime) -> bool {
    let since = request.fields.first("If-Modified-Since").map(parse_http_date);
    let Some(Ok(since)) = since else { return false };
    let is_tagged = request.fields.first("If-None-Match").is_some();
    !is_tagged && modified < since + Duration::from_secs(1)
}

/// What the file is, by its name, as that is all we know. Text is UTF-8 here, and says so: else
/// the client would have to guess.
fn media_type(name: &Path) -> String {
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
    format!("{kind}{charset}")
}
