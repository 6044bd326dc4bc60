//! Heads of HTTP/1.1, read as any peer reads them: names in capital or small letters, in any order,
//! with more of them than expected; and not more tolerant than that.

use graded::{Case, Client, Difference};

/// The head of a message. Its body, if it has one, is still to be read.
pub struct Head {
    /// `HTTP/1.1 200 OK` of an answer, `GET / HTTP/1.1` of a request.
    pub first: String,
    /// Names in small letters, values without the blanks around them.
    fields: Vec<(String, String)>,
}

impl Head {
    /// Receives the head of the next message; `what` names the message.
    pub fn receive(case: &Case, client: &mut Client, what: &str) -> Self {
        let bytes = client.receive_through(b"\r\n\r\n", &format!("the head of {what}"));
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(text.trim_end_matches("\r\n")).unwrap_or_else(|line| {
            let what = format!("{line:?} is no field line, NAME: VALUE");
            case.fail(Difference::fail(what).and("its head is").with(b"", &bytes))
        })
    }

    /// Reads a head without its empty line. The error is the field line that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let fields = lines.map(|line| field(line).ok_or(line)).collect::<Result<_, _>>()?;
        Ok(Self { first, fields })
    }

    /// The status of an answer; `None` if it is none.
    pub fn status(&self) -> Option<&str> {
        let (digits, _reason) = self.first.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
        let is_status = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_status.then_some(digits)
    }

    /// The values of all lines called `name`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    }

    /// Whether `word` is in a list under this name, in capitals or not.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).into_iter().flat_map(|list| list.split(','));
        words.any(|it| it.trim_matches([' ', '\t']).eq_ignore_ascii_case(word))
    }

    /// The body's length by the one Content-Length; `None` if there is another number of them, or
    /// a Transfer-Encoding beside it.
    pub fn length(&self) -> Option<usize> {
        match (&self.values("content-length")[..], &self.values("transfer-encoding")[..]) {
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().ok()
            }
            _ => None,
        }
    }
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_field = !name.is_empty() && name.bytes().all(is_fit) && !value.contains(['\r', '\n']);
    is_field.then(|| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}
