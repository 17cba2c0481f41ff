//! Sends a request, again while its failure may pass.

use std::time::Duration;

use futures_util::future::BoxFuture;
use pipe_grammar::Code;
use reqwest::{
    Body, Client, Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_LENGTH, HeaderMap, RETRY_AFTER},
};
use tokio::time::Instant;

use super::{Answer, Content, Request, answer::Broken, why};
use crate::core::{Call, Failure, unreadable};

/// So often a request is sent at most.
const TRIES: u32 = 4;
/// The first pause between two tries; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// When something must be done, and how long that was at the beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// When it is over.
    pub(crate) at: Instant,
    /// As it was given.
    pub(crate) within: Duration,
}

impl Deadline {
    /// From now on.
    pub(crate) fn new(within: Duration) -> Self {
        // A time beyond the clock's end never comes.
        let at = Instant::now().checked_add(within);
        Self {
            at: at.unwrap_or_else(|| Instant::now() + Duration::from_secs(u32::MAX.into())),
            within,
        }
    }

    /// That nothing was done by then.
    pub(crate) fn missed(&self, request: &Request) -> Failure {
        let millis = u64::try_from(self.within.as_millis()).unwrap_or(u64::MAX);
        let time = pipe_grammar::duration_text(millis);
        let what = format!("`{}` did not answer within {time}", request.shown);
        Failure::infrastructure(Code::UNREACHABLE_SERVER, what)
            .at_argument("url")
            .help("is the server slow? give it more time: `within: …`")
    }
}

/// Sends a request, and hands the answer, whatever its status, to `read`, which may be called again
/// when the connection breaks off while it reads.
///
/// # Errors
///
/// When the server can't be reached in the given tries and time, or the call is cancelled.
pub(crate) async fn send<'a, T>(
    call: &Call<'_>,
    client: &Client,
    request: &Request,
    deadline: Deadline,
    read: &(dyn Fn(Response) -> BoxFuture<'a, Result<T, Broken>> + Send + Sync),
) -> Result<T, Failure> {
    let mut pause = PAUSE;
    for attempt in 1.. {
        let last = attempt >= TRIES;
        let one = async {
            let answer = match build(client, request).await?.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    return Ok(Try::Failed(request.may_repeat(&error), why(&error), None));
                }
            };
            let (status, headers) = (answer.status(), answer.headers().clone());
            if !last && request.passes(status) {
                let reason = status.canonical_reason().unwrap_or("an error");
                let what = format!("it answered {} {reason}", status.as_u16());
                return Ok(Try::Failed(true, what, retry_after(&headers)));
            }
            if request.secret && status.is_redirection() && headers.contains_key("location") {
                return Err(leaves(request));
            }
            match read(answer).await {
                Ok(done) => Ok(Try::Done(done)),
                Err(Broken::Failure(failure)) => Err(failure),
                Err(broken) => Ok(Try::Failed(request.is_idempotent(), broken.why(), None)),
            }
        };
        let timed = tokio::time::timeout_at(deadline.at, call.unless_cancelled(one));
        let Ok(tried) = timed.await else { return Err(deadline.missed(request)) };
        let (repeat, why, wait) = match tried?? {
            Try::Done(done) => return Ok(done),
            Try::Failed(repeat, why, wait) => (repeat, why, wait),
        };
        let wait = wait.unwrap_or(pause);
        if !repeat || last || Instant::now() + wait >= deadline.at {
            return Err(unreached(request, &why));
        }
        let time = pipe_grammar::duration_text(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        call.report.say(&format!("`{}`: {why}; sent again in {time}", request.shown));
        call.unless_cancelled(tokio::time::sleep(wait)).await?;
        pause *= 2;
    }
    Err(deadline.missed(request))
}

enum Try<T> {
    Done(T),
    /// Whether it may be sent again, why it failed, and when the server wants to be asked again.
    Failed(bool, String, Option<Duration>),
}

async fn build(client: &Client, request: &Request) -> Result<RequestBuilder, Failure> {
    let builder = client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone());
    Ok(match &request.content {
        Content::Nothing => builder,
        Content::Bytes(bytes) => builder.body(bytes.clone()),
        Content::File(path) => {
            let shown = path.display().to_string();
            let failed = |error| unreadable(&shown, &error).at_argument("file");
            let file = tokio::fs::File::open(path).await.map_err(failed)?;
            let length = file.metadata().await.map_err(failed)?.len();
            // Some servers take no body whose length they do not know.
            builder.header(CONTENT_LENGTH, length).body(Body::from(file))
        }
    })
}

impl Request {
    /// Whether sending it twice is as good as once (RFC 9110, section 9.2.2).
    fn is_idempotent(&self) -> bool {
        self.method != Method::POST && self.method != Method::PATCH
    }

    fn may_repeat(&self, error: &reqwest::Error) -> bool {
        let hopeless =
            error.is_builder() || error.is_redirect() || why(error).contains("certificate");
        !hopeless && (error.is_connect() || self.is_idempotent())
    }

    /// Whether an answer may be another one a moment later, and nothing was done.
    fn passes(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            429 | 503 => true,
            502 | 504 => self.is_idempotent(),
            _ => false,
        }
    }
}

/// How long the server wants to be left alone, in seconds; a date is passed over.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn leaves(request: &Request) -> Failure {
    let what =
        format!("`{}` redirects to another host, which must not see the secret", request.shown);
    Failure::new(Code::SECRET_LEAK, what)
        .at_argument("url")
        .help("ask that host itself, if it may have the secret")
}

fn unreached(request: &Request, why: &str) -> Failure {
    let what = format!("`{}` can't be reached: {why}", request.shown);
    let failure = Failure::infrastructure(Code::UNREACHABLE_SERVER, what).at_argument("url");
    if why.contains("certificate") {
        failure.help("if its authority is your own: `SSL_CERT_FILE=ca.pem pipe run`")
    } else if why.contains("not known") {
        failure.help("is the name right, and does this machine need a proxy (`HTTPS_PROXY`)?")
    } else {
        failure
    }
}

/// Reads an answer to its end, whatever its status.
impl Request {
    /// Sends it and reads the answer.
    pub(crate) async fn answer(
        &self,
        call: &Call<'_>,
        client: &Client,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        send(call, client, self, deadline, &|answer| Box::pin(Answer::read(self, answer))).await
    }
}
