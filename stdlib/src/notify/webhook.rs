//! `notify.webhook(url, text)`

use std::time::Duration;

use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

use crate::{
    client::http::{self, Content, Deadline, Redirects, Request, refused},
    core::{Arguments, Call, Failure, FailureKind, Outcome, Value, builtin},
};

builtin! {
    once notify.webhook, webhook;
    "
    # Sends a message to a chat.
    #
    # As Slack, Mattermost, Rocket.Chat and others take it from a webhook: `{ \"text\": … }` by POST. A
    # message that can't be sent is a warning, and fails nothing.
    (
      # The webhook's URL: whoever knows it can write there, so it is a secret.
      url: hidden,
      # The message.
      text: string,
      # What is sent instead of `{ \"text\": … }`.
      json: any?,
      # Headers.
      headers: environment = {},
    )
    "
    examples: [
        r##"notify.webhook(token, text: "#{pipeline.name}: deployed #{git.short_commit}")"##,
    ]
}

/// How long it may take: nobody should wait for a chat.
const WITHIN: Duration = Duration::from_secs(15);

async fn webhook(call: Call<'_>, arguments: Arguments) -> Outcome {
    match send(&call, &arguments).await {
        Ok(()) => {}
        Err(failure) if failure.kind == FailureKind::Cancelled => return Err(failure),
        Err(failure) => {
            call.report.say(&format!("warning: the message was not sent: {}", failure.message));
        }
    }
    Ok(Value::Null)
}

async fn send(call: &Call<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let (url, shown) = http::url(arguments, "url")?;
    let text: String = arguments.get("text")?;
    let body = match arguments.value("json") {
        Value::Null => json!({ "text": text }),
        value => value.to_json(),
    };
    let (mut headers, _) = http::headers(arguments)?;
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    let content = Content::Bytes(body.to_string().into());
    // What is said in a chat is for nobody else either.
    let request = Request { method: Method::POST, url, shown, headers, content, secret: true };
    let client = http::client(call.world, Redirects::Home)?;
    let answer = request.answer(call, &client, Deadline::new(WITHIN)).await?;
    if answer.status.is_success() { Ok(()) } else { Err(refused(&request, &answer)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{
        core::{Secret, Value},
        testing::{Machine, Server},
    };

    #[tokio::test]
    async fn a_message_is_sent() {
        let server = Server::new(|_, _| (200, vec![], "ok".into())).await;
        let machine = Machine::new();
        let url = || Value::Secret(Secret::new(format!("{}/hooks/x", server.url)));
        machine
            .step("notify.webhook", &[("url", url()), ("text", "hi \"you\"".into())])
            .await
            .unwrap();
        let own = Value::record([("blocks", Value::list([]))]);
        let given = [("url", url()), ("text", "hi".into()), ("json", own)];
        machine.step("notify.webhook", &given).await.unwrap();
        let seen = server.seen();
        assert_eq!(seen[0].body, r#"{"text":"hi \"you\""}"#);
        assert_eq!(seen[0].header("content-type"), "application/json");
        assert_eq!(seen[1].body, r#"{"blocks":[]}"#);
        assert!(machine.said.lines().is_empty());
    }

    #[tokio::test]
    async fn one_that_is_not_sent_is_a_warning() {
        let server = Server::new(|_, _| (404, vec![], "no such hook".into())).await;
        let machine = Machine::new();
        let given = [("url", format!("{}/s", server.url).into()), ("text", "hi".into())];
        machine.step("notify.webhook", &given).await.unwrap();
        let said = machine.said.lines();
        assert_eq!(
            said,
            [format!(
                "warning: the message was not sent: `POST {}/s` was answered with 404 Not Found",
                server.url
            )]
        );
    }
}
