//! `http.wait(url)`

use std::time::Duration;

use pipe_grammar::{Code, duration_text};
use reqwest::{Method, header::HeaderMap};
use tokio::time::Instant;

use crate::{
    client::http::{self, Answer, Content, Deadline, Redirects, Request},
    core::{Arguments, Call, Failure, FailureKind, Outcome, builtin},
};

builtin! {
    step http.wait, wait;
    "
    # Waits until a server answers as it should.
    #
    # Whatever else happens, a connection that is refused or another status, is asked again. With a
    # `status` of 300 to 399 redirects are not followed.
    (
      # The URL, `https://` or `http://`.
      url: string,
      # The status that it should answer with.
      status: int = 200,
      # The time between two questions.
      every: duration = 2s,
      # How long it may take.
      within: duration = 5m,
    ) -> Response
    "
    examples: [r#"http.wait("http://127.0.0.1:8080/health", within: 1m)"#]
}

/// One answer takes no longer; a server that starts may hold a connection without answering.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

async fn wait(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (url, shown) = http::url(&arguments, "url")?;
    let (status, every): (i64, Duration) = (arguments.get("status")?, arguments.get("every")?);
    let deadline = Deadline::new(arguments.get("within")?);
    let redirects = if (300..400).contains(&status) { Redirects::None } else { Redirects::All };
    let client = http::client(call.world, redirects)?;
    let (headers, content) = (HeaderMap::new(), Content::Nothing);
    let request = Request { method: Method::GET, url, shown, headers, content, secret: false };
    let mut told = String::new();
    loop {
        let asked = client.get(request.url.clone()).timeout(LONGEST_ANSWER);
        let one = async {
            match asked.send().await {
                Ok(answer) => Answer::read(&request, answer).await.map_err(|broken| broken.why()),
                Err(error) => Err(http::why(&error)),
            }
        };
        let timed = tokio::time::timeout_at(deadline.at, call.unless_cancelled(one)).await;
        let seen = match timed {
            Ok(done) => match done? {
                Ok(answer) if i64::from(answer.status.as_u16()) == status => {
                    return Ok(answer.value());
                }
                Ok(answer) => format!("it answers {}", answer.status.as_u16()),
                Err(why) => why,
            },
            // What was seen before tells more than a call that was cut short.
            Err(_) if !told.is_empty() => told.clone(),
            Err(_) => "it did not answer in time".to_owned(),
        };
        if seen != told {
            call.report.say(&format!("waits for `{}`: {seen}", request.shown));
            told = seen;
        }
        if Instant::now() + every >= deadline.at {
            return Err(missed(&request, status, deadline.within, &told));
        }
        call.unless_cancelled(tokio::time::sleep(every)).await?;
    }
}

fn missed(request: &Request, status: i64, within: Duration, last: &str) -> Failure {
    let time = duration_text(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
    let what = format!("`{}` did not answer {status} within {time}", request.shown);
    Failure::new(Code::TIMED_OUT, what)
        .kind(FailureKind::Timeout)
        .at_argument("url")
        .label(format!("at last: {last}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use crate::{
        core::{FailureKind, Outcome, Value},
        testing::{Machine, Server},
    };

    async fn wait(machine: &Machine, url: &str, status: i64, millis: u64) -> Outcome {
        let given = [
            ("url", url.into()),
            ("status", Value::Int(status)),
            ("every", Value::Duration(Duration::from_millis(5))),
            ("within", Value::Duration(Duration::from_millis(millis))),
        ];
        machine.step("http.wait", &given).await
    }

    #[tokio::test]
    async fn it_asks_until_the_answer_is_right() {
        let server = Server::new(|number, _| ([503, 503, 200][number], vec![], "up".into())).await;
        let machine = Machine::new();
        let answer = wait(&machine, &server.url, 200, 10_000).await.unwrap();
        assert_eq!(answer.as_record().unwrap()["body"], "up".into());
        assert_eq!(machine.said.lines(), [format!("waits for `{}/`: it answers 503", server.url)]);
    }

    #[tokio::test]
    async fn a_redirect_may_be_the_right_answer() {
        let server =
            Server::new(|_, _| (302, vec![("Location", "/x".into())], String::new())).await;
        wait(&Machine::new(), &server.url, 302, 10_000).await.unwrap();
        assert_eq!(server.seen().len(), 1);
    }

    #[tokio::test]
    async fn it_ends_with_its_time() {
        let failure = wait(&Machine::new(), "http://127.0.0.1:1/", 200, 2000).await.unwrap_err();
        assert_eq!(failure.message, "`http://127.0.0.1:1/` did not answer 200 within 2s");
        assert_eq!(failure.label, "at last: connection refused");
        assert_eq!(failure.kind, FailureKind::Timeout);
    }
}
