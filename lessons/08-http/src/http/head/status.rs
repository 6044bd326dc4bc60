//! Status codes (RFC 9110, section 15) and their usual words.

/// A status code: its first digit says whose turn it is (2 done, 3 look elsewhere, 4 the client
/// has to change something, 5 the server has).
pub type Status = u16;

/// The words that go with a status. They are for people only.
pub fn phrase(status: Status) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        // RFC 6585, section 5.
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
