//! `http.post(url)`

use reqwest::Method;

use crate::core::{Arguments, Call, Outcome, builtin};

builtin! {
    once http.post, post;
    "
    # Sends a POST request.
    #
    # At most one of `body`, `json`, `form` and `file` is sent, with its `Content-Type` unless `headers`
    # has one.
    # It is tried again only when the server can not have acted on it: when no connection came about,
    # or it answered 429 or 503.
    (
      # The URL, `https://` or `http://`. A secret one, such as a webhook's, is never shown.
      url: hidden,
      # Added to the query of the URL, encoded.
      query: map<string> = {},
      # Headers. Those with a secret go to no other host.
      headers: environment = {},
      # For basic authentication.
      username: string?,
      # For basic authentication.
      password: hidden?,
      # Sent as `Authorization: Bearer …`.
      token: hidden?,
      # A text to send.
      body: hidden?,
      # A value to send as JSON.
      json: any?,
      # Fields of a form to send.
      form: environment?,
      # A file to send.
      file: path?,
      # How long it may take, with all tries.
      within: duration = 30s,
      # Whether a status of 400 and more fails, showing the beginning of the answer.
      check: bool = true,
    ) -> Response
    "
    examples: [
        r#"http.post("https://api.example.com/v1/releases", json: { tag: "v1" }, token: token)"#,
        r#"http.post("https://example.com/login", form: { name: "ci", password: token })"#,
    ]
}

async fn post(call: Call<'_>, arguments: Arguments) -> Outcome {
    super::call::send(call, Method::POST, &arguments).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{
        core::{Secret, Value},
        testing::{Machine, Server, raw_server},
    };

    #[tokio::test]
    async fn what_is_sent_has_its_type() {
        let server = Server::new(|_, _| (201, vec![], String::new())).await;
        let machine = Machine::new();
        machine.write("f", "content");
        for (name, value) in [
            ("json", Value::record([("b", Value::Int(1)), ("a", "ä".into())])),
            ("json", Value::Null),
            (
                "form",
                Value::record([("a b", "c&d".into()), ("s", Value::Secret(Secret::new("hid")))]),
            ),
            ("body", Value::Secret(Secret::new("plain"))),
            ("file", Value::Path("f".into())),
        ] {
            let given = [("url", server.url.clone().into()), (name, value)];
            machine.step("http.post", &given).await.unwrap();
        }
        let seen = server.seen();
        let sent: Vec<_> =
            seen.iter().map(|s| (s.header("content-type"), s.body.as_str())).collect();
        assert_eq!(
            sent,
            [
                ("application/json", r#"{"b":1,"a":"ä"}"#),
                ("application/json", "null"),
                ("application/x-www-form-urlencoded", "a+b=c%26d&s=hid"),
                ("text/plain; charset=utf-8", "plain"),
                ("application/octet-stream", "content"),
            ]
        );
        assert_eq!(seen[4].header("content-length"), "7");
    }

    #[tokio::test]
    async fn one_thing_is_sent() {
        let post = async |given: &[(&str, Value)]| {
            let mut all = vec![("url", "http://127.0.0.1:1".into())];
            all.extend(given.iter().cloned());
            Machine::new().step("http.post", &all).await.unwrap_err().message
        };
        let both = [("body", "x".into()), ("json", Value::Int(1))];
        assert_eq!(post(&both).await, "`body` and `json` can't be sent together");
        assert_eq!(post(&[("file", Value::Path("no".into()))]).await, "`no` does not exist");
    }

    #[tokio::test]
    async fn it_is_sent_again_only_when_nothing_was_done() {
        let server = Server::new(|number, _| {
            ([429, 200][number], vec![("Retry-After", "0".into())], String::new())
        })
        .await;
        let given = [("url", server.url.clone().into()), ("body", "x".into())];
        Machine::new().step("http.post", &given).await.unwrap();
        assert_eq!(server.seen().len(), 2);

        let broken = raw_server(vec![b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]).await;
        let given = [("url", broken.into()), ("body", "x".into())];
        assert!(Machine::new().step("http.post", &given).await.is_err());

        let server = Server::new(|_, _| (502, vec![], String::new())).await;
        let given = [("url", server.url.clone().into()), ("body", "x".into())];
        assert!(Machine::new().step("http.post", &given).await.is_err());
        assert_eq!(server.seen().len(), 1);
    }
}
