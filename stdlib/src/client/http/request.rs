//! What is sent.

use std::path::PathBuf;

use bytes::Bytes;
use pipe_grammar::Code;
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    client::base64,
    core::{Arguments, Failure, Value, text_of},
};

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET`.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) url: Url,
    /// The URL for people; of a secret one the host only.
    pub(crate) shown: String,
    /// With the credentials.
    pub(crate) headers: HeaderMap,
    /// What is sent with it.
    pub(crate) content: Content,
    /// It holds a secret beside the standard credentials, which no other host must see.
    pub(crate) secret: bool,
}

/// What is sent with a request.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(Bytes),
    /// A file, opened again for each try.
    File(PathBuf),
}

/// Reads a URL of a call, and says what people see of it.
pub(crate) fn url(arguments: &Arguments, name: &'static str) -> Result<(Url, String), Failure> {
    let (text, secret) = match arguments.value(name) {
        Value::Secret(secret) => (secret.reveal().trim().to_owned(), true),
        value => (text_of(value).unwrap_or_default(), false),
    };
    let bad = |why: &str| {
        let shown = if secret { "the URL".to_owned() } else { format!("`{text}`") };
        Failure::new(Code::EVALUATION, format!("{shown} {why}")).at_argument(name)
    };
    let url = Url::parse(&text).map_err(|_| {
        let help =
            if text.contains("://") { "" } else { "a URL begins with `https://` or `http://`" };
        let failure = bad("is no URL");
        if help.is_empty() { failure } else { failure.help(help) }
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad("is no `http://` or `https://` URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("holds credentials")
            .help("give them as `username:` and `password:`, from a `secret`"));
    }
    let host = format!("{}://{}", url.scheme(), url.host_str().unwrap_or(""));
    let mut shown = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    if secret {
        shown.push_str("/…");
    } else {
        shown.push_str(url.path());
    }
    Ok((url, shown))
}

/// Reads the argument `headers`, and says whether a secret is in it.
pub(crate) fn headers(arguments: &Arguments) -> Result<(HeaderMap, bool), Failure> {
    let mut headers = HeaderMap::new();
    let mut secret = false;
    for (name, value) in arguments.value("headers").as_record().into_iter().flatten() {
        let bad = |what: String| Failure::new(Code::EVALUATION, what).at_argument("headers");
        let key = HeaderName::try_from(&**name)
            .map_err(|_| bad(format!("no header can be called `{name}`")))?;
        let (text, hidden) = match value {
            Value::Secret(secret) => (secret.reveal().to_owned(), true),
            value => (text_of(value).unwrap_or_default(), false),
        };
        let mut held = HeaderValue::try_from(&text).map_err(|_| {
            bad(format!(
                "the header `{name}` has a line end or another character that it can't hold"
            ))
            .help("a secret of a file often ends with a line end: `secret.trim()`")
        })?;
        held.set_sensitive(hidden);
        // The standard ones are kept from other hosts anyway.
        secret |= hidden && !matches!(key.as_str(), "authorization" | "cookie");
        headers.append(key, held);
    }
    Ok((headers, secret))
}

/// Adds what `token`, or `username` and `password`, say.
pub(crate) fn credentials(arguments: &Arguments, headers: &mut HeaderMap) -> Result<(), Failure> {
    let text = |name: &str| match arguments.value(name) {
        Value::Secret(secret) => Some(secret.reveal().to_owned()),
        value => text_of(value),
    };
    let username = text("username");
    let (header, blamed) = match (text("token"), &username, text("password")) {
        (None, None, None) => return Ok(()),
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return Err(Failure::new(Code::EVALUATION, "a token and a password can't go together")
                .at_argument("token")
                .help("give `token:`, or `username:` and `password:`"));
        }
        (None, None, Some(_)) => {
            return Err(Failure::new(Code::EVALUATION, "a password needs a name")
                .at_argument("password")
                .help("give `username:` too"));
        }
        (Some(token), None, None) => (format!("Bearer {token}"), "token"),
        (None, Some(name), password) => {
            let pair = format!("{name}:{}", password.unwrap_or_default());
            (format!("Basic {}", base64::encode(pair.as_bytes())), "password")
        }
    };
    let mut value = HeaderValue::try_from(header).map_err(|_| {
        let what =
            format!("`{blamed}` has a line end or another character that no header can hold");
        Failure::new(Code::EVALUATION, what)
            .at_argument(blamed)
            .help("a secret of a file often ends with a line end: `secret.trim()`")
    })?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}
