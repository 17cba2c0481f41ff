//! `http.get(url)`

use reqwest::Method;

use crate::core::{Arguments, Call, Outcome, builtin};

builtin! {
    step http.get, get;
    "
    # Asks a server: a GET request.
    #
    # A connection that fails or breaks off, and an answer of 429, 502, 503 or 504, is tried again, at
    # most three times within the time. Redirects are followed.
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
      # How long it may take, with all tries.
      within: duration = 30s,
      # Whether a status of 400 and more fails, showing the beginning of the answer.
      check: bool = true,
    ) -> Response
    "
    examples: [
        r#"json.parse(http.get("https://api.example.com/v1/status", token: token).body)"#,
        r#"http.get("https://example.com/health", check: false).status == 200"#,
    ]
}

async fn get(call: Call<'_>, arguments: Arguments) -> Outcome {
    super::call::send(call, Method::GET, &arguments).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use crate::{
        core::{FailureKind, Secret, Value},
        testing::{Machine, Server, raw_server},
    };

    fn secret(text: &str) -> Value {
        Value::Secret(Secret::new(text))
    }

    #[tokio::test]
    async fn an_answer_is_a_value() {
        let server = Server::new(|_, _| (200, vec![("X-One", "a".into())], "hällo".into())).await;
        let machine = Machine::new();
        let given = [
            ("url", server.url.clone().into()),
            ("query", Value::record([("q", "a b&c".into())])),
            ("headers", Value::record([("X-Count", Value::Int(3)), ("X-Key", secret("hidden"))])),
            ("token", secret("t0ken")),
        ];
        let answer = machine.step("http.get", &given).await.unwrap();
        let answer = answer.as_record().unwrap();
        assert_eq!(answer["status"], Value::Int(200));
        assert_eq!(answer["body"], "hällo".into());
        assert_eq!(answer["headers"].as_record().unwrap()["x-one"], "a".into());
        let seen = &server.seen()[0];
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/?q=a+b%26c"));
        assert_eq!(seen.header("authorization"), "Bearer t0ken");
        assert_eq!((seen.header("x-count"), seen.header("x-key")), ("3", "hidden"));
        assert!(seen.header("user-agent").starts_with("pipe/"));
    }

    #[tokio::test]
    async fn a_refusal_shows_the_beginning_of_the_answer() {
        let server = Server::new(|_, _| (404, vec![], "no\u{1b}[31m such\n\nthing\n".into())).await;
        let given = [("url", format!("{}/x?key=1", server.url).into())];
        let failure = Machine::new().step("http.get", &given).await.unwrap_err();
        assert_eq!(
            failure.message,
            format!("`GET {}/x` was answered with 404 Not Found", server.url)
        );
        assert_eq!(failure.evidence[0].1, ["no[31m such", "thing"]);
        assert_eq!(failure.kind, FailureKind::Step);
        let given = [given[0].clone(), ("check", false.into())];
        let answer = Machine::new().step("http.get", &given).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["status"], Value::Int(404));
        assert_eq!(server.seen().len(), 2);
    }

    #[tokio::test]
    async fn what_may_pass_is_asked_again() {
        let server = Server::new(|number, _| {
            let status = [503, 502, 200][number];
            (status, vec![("Retry-After", "0".into())], "ok".into())
        })
        .await;
        let machine = Machine::new();
        let given = [("url", server.url.clone().into())];
        let answer = machine.step("http.get", &given).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["body"], "ok".into());
        let said = machine.said.lines();
        assert_eq!(said.len(), 2);
        assert!(
            said[0].ends_with("it answered 503 Service Unavailable; sent again in 0s"),
            "{said:?}"
        );
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_asked_for_again() {
        let url = raw_server(vec![
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal",
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
        ])
        .await;
        let answer = Machine::new().step("http.get", &[("url", url.into())]).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["body"], "whole".into());
    }

    #[tokio::test]
    async fn nobody_at_home_is_one_plain_sentence() {
        let given = [
            ("url", "http://127.0.0.1:1/x".into()),
            ("within", Value::Duration(Duration::from_secs(1))),
        ];
        let failure = Machine::new().step("http.get", &given).await.unwrap_err();
        assert_eq!(failure.message, "`http://127.0.0.1:1/x` can't be reached: connection refused");
        assert_eq!(failure.kind, FailureKind::Infrastructure);
    }

    #[tokio::test]
    async fn it_ends_with_its_time_and_when_cancelled() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let started = Instant::now();
        let machine = Machine::new();
        let given =
            [("url", url.clone().into()), ("within", Value::Duration(Duration::from_millis(200)))];
        let failure = machine.step("http.get", &given).await.unwrap_err();
        assert_eq!(failure.message, format!("`{url}/` did not answer within 200ms"));
        let cancel = machine.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        });
        let failure = machine.step("http.get", &[("url", url.into())]).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_secret_goes_to_no_other_host() {
        let other = Server::new(|_, _| (200, vec![], "other".into())).await;
        let to = other.url.clone();
        let server = Server::new(move |_, seen| match seen.target.as_str() {
            "/home" => (302, vec![("Location", "/end".into())], String::new()),
            "/end" => (200, vec![], "home".into()),
            _ => (302, vec![("Location", to.clone())], String::new()),
        })
        .await;
        let get = async |path: &str, given: &[(&str, Value)]| {
            let mut all = vec![("url", format!("{}{path}", server.url).into())];
            all.extend(given.iter().cloned());
            Machine::new().step("http.get", &all).await
        };
        let key = ("headers", Value::record([("X-Key", secret("hidden"))]));
        let body = |answer: Value| answer.as_record().unwrap()["body"].clone();
        assert_eq!(body(get("/home", std::slice::from_ref(&key)).await.unwrap()), "home".into());
        let failure = get("/away", &[key]).await.unwrap_err();
        assert!(
            failure.message.ends_with("redirects to another host, which must not see the secret")
        );
        assert!(other.seen().is_empty());
        // Standard credentials stay behind by themselves.
        assert_eq!(
            body(get("/away", &[("token", secret("t0ken"))]).await.unwrap()),
            "other".into()
        );
        assert_eq!(other.seen()[0].header("authorization"), "");
        assert_eq!(other.seen()[0].header("referer"), "");
    }

    #[tokio::test]
    async fn a_secret_url_is_not_shown() {
        let server = Server::new(|_, _| (403, vec![], String::new())).await;
        let given = [("url", secret(&format!("{}/hooks/s3cret?k=1", server.url)))];
        let failure = Machine::new().step("http.get", &given).await.unwrap_err();
        assert_eq!(
            failure.message,
            format!("`GET {}/…` was answered with 403 Forbidden", server.url)
        );
        let given = [("url", secret("no url s3cret"))];
        let failure = Machine::new().step("http.get", &given).await.unwrap_err();
        assert_eq!(failure.message, "the URL is no URL");
    }

    #[tokio::test]
    async fn proxies_are_those_of_the_environment() {
        let proxy = Server::new(|_, _| (200, vec![], "by proxy".into())).await;
        let machine = Machine::new().with("http_proxy", &proxy.url).with("NO_PROXY", "127.0.0.1");
        let answer =
            machine.step("http.get", &[("url", "http://shop.test/x".into())]).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["body"], "by proxy".into());
        assert_eq!(proxy.seen()[0].target, "http://shop.test/x");
        let direct = Server::new(|_, _| (200, vec![], "direct".into())).await;
        let answer = machine.step("http.get", &[("url", direct.url.clone().into())]).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["body"], "direct".into());
    }

    #[tokio::test]
    async fn what_can_t_be_sent_is_told() {
        let bad = async |given: &[(&str, Value)]| {
            Machine::new().step("http.get", given).await.unwrap_err().message
        };
        let url = || ("url", Value::from("http://127.0.0.1:1"));
        assert_eq!(bad(&[("url", "example.com/x".into())]).await, "`example.com/x` is no URL");
        assert_eq!(
            bad(&[("url", "ftp://example.com".into())]).await,
            "`ftp://example.com` is no `http://` or `https://` URL"
        );
        assert_eq!(
            bad(&[("url", "http://a:b@example.com".into())]).await,
            "`http://a:b@example.com` holds credentials"
        );
        assert_eq!(
            bad(&[url(), ("token", secret("line\n"))]).await,
            "`token` has a line end or another character that no header can hold"
        );
        assert_eq!(bad(&[url(), ("password", secret("x"))]).await, "a password needs a name");
        assert_eq!(
            bad(&[url(), ("headers", Value::record([("a b", "x".into())]))]).await,
            "no header can be called `a b`"
        );
    }
}
