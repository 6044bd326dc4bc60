//! The field lines of a head (RFC 9112, section 5), for a server and a client alike. This is given
//! to the exercises `serve` and `fetch`: nothing here is to be written.
//!
//! ```text
//! Connection: keep-alive, close
//! name        value
//! ```

/// The blanks of HTTP (RFC 9110, section 5.6.3). `trim` would take others for some, too.
const BLANKS: [char; 2] = [' ', '\t'];

/// The field lines of one head, in their order: names in small letters, values without the blanks
/// around them.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads field lines, each without its line end. `None` if one of them is none: if its name is
    /// no token (so with a blank before the colon, or at the beginning of a folded line), or if
    /// there is a control character other than a tab in its value, such as a bare CR or LF.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        lines.map(field).collect::<Option<_>>().map(Self)
    }

    /// What is in the lines called `name` (in small letters), in their order: nothing, if there
    /// is no such line, and often several values, if there are several.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    }

    /// Whether `Connection: close` is among the lines: its sender closes after this message
    /// (RFC 9112, section 9.6). The value is a list, and its words are the same in capitals.
    pub fn says_close(&self) -> bool {
        let mut options = self.values("connection").into_iter().flat_map(|list| list.split(','));
        options.any(|option| option.trim_matches(BLANKS).eq_ignore_ascii_case("close"))
    }
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_fit = is_token(name) && !value.contains(|c: char| c.is_ascii_control() && c != '\t');
    is_fit.then(|| (name.to_ascii_lowercase(), value.trim_matches(BLANKS).to_owned()))
}

/// Whether `text` is a token (RFC 9110, section 5.6.2), as methods and field names are: at least
/// one letter, digit or certain mark, and nothing else.
pub fn is_token(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_fit)
}
