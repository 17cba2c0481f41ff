//! A request as its call describes it.

use std::time::Duration;

use bytes::Bytes;
use pipe_grammar::Code;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};

use crate::{
    client::http::{self, Content, Deadline, Redirects, Request, refused},
    core::{Arguments, Call, Failure, Outcome, Value, missing, text_of},
};

/// Sends what a call of `http.get` and its like describes, and gives the answer.
pub(super) async fn send(call: Call<'_>, method: Method, arguments: &Arguments) -> Outcome {
    let within: Duration = arguments.get("within")?;
    let request = request(&call, method, arguments)?;
    let redirects = if request.secret { Redirects::Home } else { Redirects::All };
    let client = http::client(call.world, redirects)?;
    let answer = request.answer(&call, &client, Deadline::new(within)).await?;
    let failed = answer.status.is_client_error() || answer.status.is_server_error();
    if failed && arguments.get("check")? {
        return Err(refused(&request, &answer));
    }
    Ok(answer.value())
}

/// The request that the arguments describe.
pub(super) fn request(
    call: &Call<'_>,
    method: Method,
    arguments: &Arguments,
) -> Result<Request, Failure> {
    let (mut url, shown) = http::url(arguments, "url")?;
    let query = arguments.value("query").as_record().filter(|query| !query.is_empty());
    for (name, value) in query.into_iter().flatten() {
        url.query_pairs_mut().append_pair(name, &text_of(value).unwrap_or_default());
    }
    let (mut headers, mut secret) = http::headers(arguments)?;
    http::credentials(arguments, &mut headers)?;
    let content = content(call, arguments, &mut headers)?;
    secret |= arguments
        .iter()
        .any(|(name, value, _)| matches!(name, "body" | "form" | "json") && value.holds_secret());
    Ok(Request { method, url, shown, headers, content, secret })
}

/// What is sent: one of `body`, `json`, `form` and `file`.
fn content(
    call: &Call<'_>,
    arguments: &Arguments,
    headers: &mut HeaderMap,
) -> Result<Content, Failure> {
    let given: Vec<&'static str> = ["body", "json", "form", "file"]
        .into_iter()
        .filter(|name| {
            // `json: null` is a body; a null of the others is none.
            arguments.is_given(name) && (*name == "json" || !arguments.value(name).is_null())
        })
        .collect();
    let [name] = given.as_slice() else {
        return match given.get(1) {
            None => Ok(Content::Nothing),
            Some(second) => {
                let what = format!("`{}` and `{second}` can't be sent together", given[0]);
                Err(Failure::new(Code::EVALUATION, what).at_argument(second))
            }
        };
    };
    let value = arguments.value(name);
    let (kind, content) = match (*name, value) {
        ("json", value) => ("application/json", Content::Bytes(value.to_json().to_string().into())),
        ("form", value) => ("application/x-www-form-urlencoded", Content::Bytes(form(value))),
        ("file", value) => {
            let written = value.as_str().unwrap_or("");
            let path = call.world.path(call.dir, written).map_err(|f| f.at_argument("file"))?;
            if !path.is_file() {
                return Err(missing(written).at_argument("file"));
            }
            ("application/octet-stream", Content::File(path))
        }
        (_, Value::Secret(text)) => {
            ("text/plain; charset=utf-8", Content::Bytes(text.reveal().to_owned().into()))
        }
        (_, value) => {
            let text = value.as_str().unwrap_or("").to_owned();
            ("text/plain; charset=utf-8", Content::Bytes(text.into()))
        }
    };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
    Ok(content)
}

/// The fields of a form as they are sent (WHATWG URL, `application/x-www-form-urlencoded`).
fn form(value: &Value) -> Bytes {
    let mut url = reqwest::Url::parse("http://form").ok();
    for (name, value) in value.as_record().into_iter().flatten() {
        let text = match value {
            Value::Secret(secret) => secret.reveal().to_owned(),
            value => text_of(value).unwrap_or_default(),
        };
        if let Some(url) = &mut url {
            url.query_pairs_mut().append_pair(name, &text);
        }
    }
    url.as_ref().and_then(|url| url.query()).unwrap_or("").to_owned().into()
}
