//! The connection: where Marathon is, and as whom we ask.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::{Error, ServerVersion};
use crate::{client::transport, core::MarathonConnection};

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For a connection.
    pub connect: Duration,
    /// For an answer to a question.
    pub read: Duration,
    /// For an answer to a change; the proxy of a standby gives up after 10 s, Marathon itself later.
    pub write: Duration,
    /// How long a server without a leader, or behind a dead proxy, is asked again.
    pub patience: Duration,
    /// The first pause between two tries; each next one is twice as long, at most 5 s.
    pub pause: Duration,
    /// For the first byte of the event stream.
    pub attach: Duration,
    /// After so long without a byte the event stream is dead; the heartbeat comes every 10 s.
    pub silence: Duration,
    /// For a look into a task's files, which is only a help.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            write: Duration::from_secs(90),
            patience: Duration::from_secs(60),
            pause: Duration::from_millis(500),
            attach: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            look: Duration::from_secs(3),
        }
    }
}

/// A Marathon, seen from outside.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    /// `https://dcos.example.com/service/marathon`.
    pub(super) base: String,
    pub(super) pace: Pace,
    /// Sent with every request to Marathon, and to nobody else.
    pub(super) authorization: Option<HeaderValue>,
    /// What the server can do; the newest until it was asked.
    pub version: ServerVersion,
}

impl Client {
    /// A client of a connection. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// One line for people: the certificate file can't be read, there are no root certificates on
    /// this machine, or the URL or the credentials can't be sent.
    pub async fn new(connection: &MarathonConnection, pace: Pace) -> Result<Self, String> {
        let base = connection.url.trim_end_matches('/').to_owned();
        let scheme = reqwest::Url::parse(&base).map(|url| url.scheme().to_owned());
        if !matches!(scheme.as_deref(), Ok("http" | "https")) {
            return Err(format!("`{base}` is no `http://` or `https://` address"));
        }
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("pipe/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(pace.connect)
                .redirect(reqwest::redirect::Policy::none());
            if connection.local { builder.no_proxy() } else { builder }
        };
        let https = base.starts_with("https:");
        let http = transport::build(https, connection.ca.as_deref(), builder).await?;
        Ok(Self {
            http,
            base,
            pace,
            authorization: transport::authorization(
                connection.token.as_ref(),
                connection.username.as_deref(),
                connection.password.as_ref(),
            )?,
            version: ServerVersion::NEWEST,
        })
    }

    /// The same client, that asks each question once and does not wait long.
    #[must_use]
    pub fn impatient(&self) -> Self {
        let mut client = self.clone();
        client.pace.patience = Duration::ZERO;
        client.pace.read = client.pace.read.min(Duration::from_secs(10));
        client
    }

    /// Marathon's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    pub(super) fn headers(&self) -> HeaderMap {
        self.authorization.iter().map(|value| (AUTHORIZATION, value.clone())).collect()
    }

    /// What became of a request that gave no answer.
    pub(super) fn failure(&self, error: &reqwest::Error) -> Error {
        let why = transport::explain(error);
        if error.is_connect() || error.is_builder() {
            Error::Unreachable(format!("`{}` can't be reached: {why}", self.base))
        } else if error.is_timeout() {
            Error::Lost(format!("`{}` did not answer in time", self.base))
        } else {
            Error::Lost(format!("`{}` broke off: {why}", self.base))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::Secret;

    fn authorization(connection: &MarathonConnection) -> Result<Option<HeaderValue>, String> {
        let MarathonConnection { token, username, password, .. } = connection;
        transport::authorization(token.as_ref(), username.as_deref(), password.as_ref())
    }

    fn connection() -> MarathonConnection {
        MarathonConnection {
            name: None,
            url: "http://127.0.0.1:1/".to_owned(),
            token: None,
            username: None,
            password: None,
            ca: None,
            local: false,
        }
    }

    #[test]
    fn a_token_goes_before_a_password() {
        let basic = MarathonConnection {
            username: Some("a".into()),
            password: Some(Secret::new("b")),
            ..connection()
        };
        assert_eq!(authorization(&basic).unwrap().unwrap(), "Basic YTpi");
        let token = MarathonConnection { token: Some(Secret::new("eyJ")), ..basic };
        assert_eq!(authorization(&token).unwrap().unwrap(), "token=eyJ");
        let broken = MarathonConnection { token: Some(Secret::new("a\nb")), ..connection() };
        assert!(authorization(&broken).is_err());
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_connection_is_said() {
        let bad = |connection| async move {
            Client::new(&connection, Pace::default()).await.unwrap_err()
        };
        let url = MarathonConnection { url: "dcos.example.com".into(), ..connection() };
        assert!(bad(url).await.contains("`dcos.example.com` is no `http://`"));
        let ca = MarathonConnection { ca: Some("/nonexistent/ca.pem".into()), ..connection() };
        assert_eq!(bad(ca).await, "`/nonexistent/ca.pem` can't be read: no such file or directory");
    }

    #[tokio::test]
    async fn nobody_at_home_is_one_plain_sentence() {
        let pace = Pace { patience: Duration::ZERO, ..Pace::default() };
        let mut client = Client::new(&connection(), pace).await.unwrap();
        let error = client.learn().await.unwrap_err();
        assert_eq!(error.sentence(), "`http://127.0.0.1:1` can't be reached: connection refused");
        assert!(error.never_arrived());
    }
}
