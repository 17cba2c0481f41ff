//! The worker's requests. Each is sent again until it is answered or contact is lost for too long.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    client::transport,
    mesos::link::{Done, Hello, Order, Welcome},
};

/// Longer than `pipe` lets a worker wait for an order.
const ANSWER: Duration = Duration::from_secs(45);
/// For a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The first pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where nobody listens any more, `pipe` is gone: it never comes back under the same address.
const REFUSED: Duration = Duration::from_secs(10);

/// The way to `pipe`.
pub(super) struct Contact {
    http: Client,
    url: String,
    key: String,
    last: Mutex<Instant>,
    leash: Duration,
    /// Set when contact is lost for good.
    pub(super) gone: CancellationToken,
}

/// Why there is no contact.
#[derive(Debug)]
pub(super) struct Gone;

impl Contact {
    /// Says hello.
    ///
    /// # Errors
    ///
    /// One line for people.
    pub(super) async fn open(url: &str, hello: &Hello, within: Duration) -> Result<Self, String> {
        let builder =
            || Client::builder().connect_timeout(CONNECT).no_proxy().tcp_keepalive(PAUSE * 100);
        let http = transport::build(false, None, builder).await?;
        let start = Instant::now();
        let mut pause = PAUSE;
        loop {
            let request = http.post(format!("{url}/hello")).json(hello).timeout(ANSWER);
            let why = match request.send().await {
                Ok(answer) if answer.status().is_success() => {
                    let welcome: Welcome = answer
                        .json()
                        .await
                        .map_err(|_| "`pipe` answers something else".to_owned())?;
                    return Ok(Self {
                        http,
                        url: url.to_owned(),
                        key: welcome.key,
                        last: Mutex::new(Instant::now()),
                        leash: welcome.leash,
                        gone: CancellationToken::new(),
                    });
                }
                Ok(answer) if answer.status() == StatusCode::CONFLICT => {
                    return Err("another worker has this task's key already".to_owned());
                }
                Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                    return Err("`pipe` does not want this task any more".to_owned());
                }
                Ok(answer) => format!("it answers HTTP {}", answer.status().as_u16()),
                Err(error) => transport::explain(&error),
            };
            if start.elapsed() > within {
                return Err(format!("`pipe` can't be reached: {why}"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.url)).bearer_auth(&self.key)
    }

    /// Sends until it is answered.
    async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<reqwest::Response, Gone> {
        let mut pause = PAUSE;
        let mut refused: Option<Instant> = None;
        loop {
            let answer = tokio::select! {
                biased;
                () = self.gone.cancelled() => return Err(Gone),
                answer = request().send() => answer,
            };
            match answer {
                Ok(answer) if answer.status().is_success() => {
                    self.touch();
                    return Ok(answer);
                }
                // Nobody wants it any more.
                Ok(answer) if answer.status().is_client_error() => {
                    if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED) {
                        self.gone.cancel();
                    }
                    return Err(Gone);
                }
                Err(error) if transport::is_refused(&error) => {
                    refused.get_or_insert_with(Instant::now);
                }
                _ => refused = None,
            }
            let is_gone = refused.is_some_and(|since| since.elapsed() > REFUSED);
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if is_gone || last.elapsed() > self.leash {
                self.gone.cancel();
                return Err(Gone);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The next order behind `after`; none when there was none for a while.
    pub(super) async fn next(&self, after: u64) -> Result<Option<Order>, Gone> {
        let path = format!("next?after={after}");
        let answer = self.ask(|| self.request(Method::GET, &path).timeout(ANSWER)).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        // Broken off: it is asked again.
        Ok(answer.json().await.ok())
    }

    pub(super) async fn stdin(&self, order: u64) -> Result<Vec<u8>, Gone> {
        let path = format!("stdin?order={order}");
        loop {
            let answer = self.ask(|| self.request(Method::GET, &path)).await?;
            if let Ok(bytes) = answer.bytes().await {
                return Ok(bytes.into());
            }
        }
    }

    /// The workspace, to be read in pieces.
    pub(super) async fn workspace(&self) -> Result<reqwest::Response, Gone> {
        self.ask(|| self.request(Method::GET, "workspace")).await
    }

    /// A sign of life while something long is read.
    pub(super) fn alive(&self) {
        self.touch();
    }

    pub(super) async fn output(
        &self,
        order: u64,
        part: u64,
        bytes: bytes::Bytes,
    ) -> Result<(), Gone> {
        let path = format!("output?order={order}&part={part}");
        // Without a time-out: whoever reads the output may be slow.
        self.ask(|| self.request(Method::POST, &path).body(bytes.clone())).await.map(drop)
    }

    /// Sends files once: a stream can't be sent again.
    pub(super) async fn files(&self, order: u64, body: reqwest::Body) -> Result<(), String> {
        let path = format!("files?order={order}");
        let answer = self.request(Method::POST, &path).body(body).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => {
                self.touch();
                Ok(())
            }
            Ok(_) => Err("the files could not be unpacked where `pipe` runs".to_owned()),
            Err(error) => Err(transport::explain(&error)),
        }
    }

    pub(super) async fn done(&self, order: u64, done: &Done) -> Result<(), Gone> {
        let path = format!("done?order={order}");
        self.ask(|| self.request(Method::POST, &path).json(done).timeout(ANSWER)).await.map(drop)
    }
}
