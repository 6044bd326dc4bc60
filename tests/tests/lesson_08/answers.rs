//! Answers of HTTP/1.1, read as any client reads them: names in capital or small letters, in any
//! order, with more of them than expected; and not more tolerant than that.

use graded::{Client, Difference, Exam};

/// The head of an answer. Its body, if it has one, is still to be read.
pub struct Head {
    pub status: u16,
    /// Names in small letters, values without the blanks around them.
    fields: Vec<(String, String)>,
}

impl Head {
    /// Receives the head of the next answer.
    pub fn receive(exam: &Exam, client: &mut Client) -> Self {
        let bytes = client.receive_through(b"\r\n\r\n", "the head of an answer");
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(text.trim_end_matches("\r\n")).unwrap_or_else(|line| {
            let what = format!("{line:?} is no line of an answer's head");
            let why = "either it is misspelt (HTTP/1.1, a blank, three digits, a blank; and then \
                       lines of NAME: VALUE, each ending with \\r\\n), or the answer before it was \
                       longer than its Content-Length says";
            exam.fail(Difference::fail(what).and(why))
        })
    }

    /// Reads a head without its empty line. The error is the line that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = status(first).ok_or(first)?;
        let fields = lines.map(|line| field(line).ok_or(line)).collect::<Result<_, _>>()?;
        Ok(Self { status, fields })
    }

    /// The values of all lines called `name`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    }

    /// Whether `word` is in a list under this name, in capitals or not.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).into_iter().flat_map(|list| list.split(','));
        words.any(|it| it.trim().eq_ignore_ascii_case(word))
    }

    /// The body's length by the one Content-Length that every answer has.
    pub fn length(&self, exam: &Exam) -> usize {
        exam.step("the answer must have one Content-Length, and no Transfer-Encoding");
        let lengths = self.values("content-length");
        let length = match (&lengths[..], &self.values("transfer-encoding")[..]) {
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length.parse(),
            _ => "none".parse(),
        };
        length.unwrap_or_else(|_| {
            let what = format!("its field lines are {:?}", self.fields);
            exam.fail(Difference::fail(what))
        })
    }
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ")?;
    let (digits, _reason) = rest.split_once(' ')?;
    let is_number = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_field = !name.is_empty() && name.bytes().all(is_fit) && !value.contains(['\r', '\n']);
    is_field.then(|| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}
