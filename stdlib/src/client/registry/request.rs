//! One request to a registry, repeated while the failure may pass.

use std::time::Duration;

use pipe_grammar::Code;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, HeaderValue, RETRY_AFTER},
};

use super::{Pace, Registry};
use crate::core::Failure;

/// A server that asks for more patience than this gets an error instead.
const MOST_PATIENCE: Duration = Duration::from_secs(60);

/// For what a registry is asked: it decides the scope of the token, and the words of a failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errand<'a> {
    /// The repository, `library/busybox`.
    pub(super) path: &'a str,
    /// Whether something is written.
    pub(super) push: bool,
    /// A repository that is read besides.
    pub(super) from: Option<&'a str>,
}

impl<'a> Errand<'a> {
    pub(super) fn pull(path: &'a str) -> Self {
        Self { path, push: false, from: None }
    }

    pub(super) fn push(path: &'a str) -> Self {
        Self { path, push: true, from: None }
    }

    /// The scopes of a token, in Docker's notation, with blanks between them.
    pub(super) fn scope(&self) -> String {
        let actions = if self.push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{actions}", self.path);
        match self.from {
            Some(from) => format!("{scope} repository:{from}:pull"),
            None => scope,
        }
    }
}

/// The pauses between tries, each twice as long as the one before.
pub(super) struct Patience {
    pause: Duration,
    left: u32,
}

impl Patience {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pause: pace.pause, left: pace.tries.saturating_sub(1) }
    }

    /// Waits before another try; false: it is enough.
    pub(super) async fn wait(&mut self) -> bool {
        self.wait_at_least(None).await
    }

    async fn wait_at_least(&mut self, wish: Option<Duration>) -> bool {
        if self.left == 0 || wish.is_some_and(|wish| wish > MOST_PATIENCE) {
            return false;
        }
        tokio::time::sleep(wish.unwrap_or(self.pause)).await;
        self.left -= 1;
        self.pause *= 2;
        true
    }
}

impl Registry {
    /// Sends a small request, with authorization, and answers whatever the registry answers.
    ///
    /// # Errors
    ///
    /// When it can't be reached, or a token is refused.
    pub(super) async fn send(
        &self,
        errand: Errand<'_>,
        url: &str,
        make: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        self.send_any(errand, url, |client| make(client).timeout(self.pace.answer)).await
    }

    /// The same without a limit of time.
    pub(super) async fn send_any(
        &self,
        errand: Errand<'_>,
        url: &str,
        make: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let mut renewed = false;
        loop {
            let authorization = self.authorization_at(errand, url).await?;
            let answer = self
                .repeat(url, |client| match &authorization {
                    Some(value) => make(client).header(AUTHORIZATION, value),
                    None => make(client),
                })
                .await?;
            // A token lasts a few minutes only: fetch another one, once.
            if answer.status() == StatusCode::UNAUTHORIZED
                && !renewed
                && self.forget_token(errand, authorization.as_ref())
            {
                renewed = true;
                continue;
            }
            return Ok(answer);
        }
    }

    /// The header for a URL: uploads may go to another host, but credentials to the registry alone.
    pub(super) async fn authorization_at(
        &self,
        errand: Errand<'_>,
        url: &str,
    ) -> Result<Option<HeaderValue>, Failure> {
        let own = url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'));
        if own { self.authorization(errand).await } else { Ok(None) }
    }

    /// Sends a request until it is answered with something that will not change by itself.
    pub(super) async fn repeat(
        &self,
        url: &str,
        make: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let client = self.transport.client(url)?;
        let mut patience = Patience::new(self.pace);
        loop {
            let answer = make(client).send().await;
            let wish = match &answer {
                Ok(answer) if passes(answer.status()) => retry_after(answer),
                Ok(_) => return answer.map_err(|e| self.broken(&e)),
                Err(_) => None,
            };
            if !patience.wait_at_least(wish).await {
                return answer.map_err(|e| self.broken(&e));
            }
        }
    }

    /// The registry gave no answer.
    pub(super) fn broken(&self, error: &reqwest::Error) -> Failure {
        let message = if error.is_timeout() && !error.is_connect() {
            format!("the registry `{}` did not answer in time", self.host)
        } else if error.is_connect() {
            format!("the registry `{}` can't be reached: {}", self.host, why(error))
        } else {
            format!("the connection to the registry `{}` broke off: {}", self.host, why(error))
        };
        Failure::infrastructure(Code::UNREACHABLE_SERVER, message)
            .help("it was tried several times; run it again when the registry answers")
    }

    /// An answer ended too early.
    pub(super) fn broken_off(&self) -> Failure {
        let message = format!("the connection to the registry `{}` broke off", self.host);
        Failure::infrastructure(Code::UNREACHABLE_SERVER, message)
            .help("it was tried several times; run it again when the registry answers")
    }

    pub(super) fn url(&self, path: &str, rest: &str) -> String {
        format!("{}/v2/{path}/{rest}", self.base)
    }
}

/// Whether an answer may be another one a moment later.
pub(super) fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// How long the server wants to be left alone, in seconds; a date is passed over.
fn retry_after(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The deepest cause, in words.
pub(crate) fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(error) = cause.downcast_ref::<std::io::Error>()
            && error.raw_os_error().is_some()
        {
            return pipe_oci::plain(error);
        }
    }
    let text = cause.to_string();
    if text.contains("certificate") || text.contains("UnknownIssuer") {
        "its certificate is not trusted here".to_owned()
    } else if text.contains("lookup address") || text.contains("Name or service") {
        "its name is not known here".to_owned()
    } else if text.contains("InvalidMessage") || text.contains("corrupt message") {
        "it does not speak TLS".to_owned()
    } else {
        text
    }
}
