//! What comes back.

use pipe_grammar::Code;
use reqwest::{StatusCode, header::HeaderMap};

use super::{Request, why};
use crate::core::{Failure, Value};

/// A longer one is no value.
const LONGEST_BODY: usize = 10 << 20;
/// So many lines of a refusal are shown.
const SHOWN_LINES: usize = 10;
/// So much of each.
const SHOWN_LETTERS: usize = 200;

/// An answer that was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// 200.
    pub(crate) status: StatusCode,
    /// As they came.
    pub(crate) headers: HeaderMap,
    /// What is in it; bytes that are no UTF-8 became `�`.
    pub(crate) body: String,
}

impl Answer {
    /// Reads an answer.
    pub(crate) async fn read(
        request: &Request,
        mut answer: reqwest::Response,
    ) -> Result<Self, Broken> {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(Broken::Off)? {
            if bytes.len() + piece.len() > LONGEST_BODY {
                let what = format!("the answer of `{}` is longer than 10 MiB", request.shown);
                let failure = Failure::new(Code::BAD_FILE, what);
                return Err(Broken::Failure(failure.help("save it to a file: `http.download`")));
            }
            bytes.extend_from_slice(&piece);
        }
        let body = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(Self { status, headers, body })
    }

    /// As the type `Response`.
    pub(crate) fn value(&self) -> Value {
        let mut headers = indexmap::IndexMap::new();
        for name in self.headers.keys() {
            let all: Vec<_> = self
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            headers.insert(name.as_str().to_owned(), Value::from(all.join(", ")));
        }
        Value::record([
            ("status", Value::Int(self.status.as_u16().into())),
            ("headers", Value::record(headers)),
            ("body", self.body.as_str().into()),
        ])
    }
}

/// Why an answer could not be read.
pub(crate) enum Broken {
    /// The connection broke off.
    Off(reqwest::Error),
    /// Something that will not pass.
    Failure(Failure),
}

impl Broken {
    /// In words.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Off(error) => why(error),
            Self::Failure(failure) => failure.message.clone(),
        }
    }
}

/// The failure of a request that was answered with a status that is none of success.
pub(crate) fn refused(request: &Request, answer: &Answer) -> Failure {
    let status = answer.status;
    let reason = status.canonical_reason().map_or(String::new(), |reason| format!(" {reason}"));
    let (method, shown) = (&request.method, &request.shown);
    let what = format!("`{method} {shown}` was answered with {}{reason}", status.as_u16());
    let failure = if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Failure::infrastructure(Code::SERVER_ERROR, what)
    } else {
        Failure::new(Code::REQUEST_REFUSED, what)
    };
    let failure = failure.at_argument("url").evidence("the answer begins", beginning(&answer.body));
    match status.as_u16() {
        401 => failure.help(
            "give `token:`, or `username:` and `password:`, or look whether they are still valid",
        ),
        403 => failure.help("the server knows who asks, and does not allow it"),
        407 => failure.help("the proxy wants credentials: `HTTPS_PROXY=http://NAME:PASSWORD@…`"),
        _ => failure,
    }
}

/// The first lines of a body, without what would draw on a terminal.
fn beginning(body: &str) -> Vec<String> {
    let lines = body.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines
        .take(SHOWN_LINES)
        .map(|line| {
            line.chars().filter(|c| !c.is_control() || *c == '\t').take(SHOWN_LETTERS).collect()
        })
        .collect()
}
