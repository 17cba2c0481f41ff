//! The connection: which masters there are, which of them leads, and as whom we ask.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
};
use serde_json::Value as Json;

use super::{Call, Error, Id, call::Envelope};
use crate::{client::transport, core::MesosConnection};

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For a connection.
    pub connect: Duration,
    /// For an answer to a call.
    pub call: Duration,
    /// The first pause before a stream is opened again; each next one is twice as long.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// So many heartbeats may be missing before a stream is dead (`scheduler.proto` says five).
    pub heartbeats: u32,
    /// For a look into the files of a task.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            heartbeats: 5,
            look: Duration::from_secs(5),
        }
    }
}

/// The masters of a cluster, seen from outside.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) http: reqwest::Client,
    masters: Vec<String>,
    /// The base URL of the one that led last.
    leader: Arc<Mutex<Option<String>>>,
    authorization: Option<HeaderValue>,
    principal: Option<String>,
    pub(super) pace: Pace,
}

/// More than any ordinary answer; a body beyond it is not read.
const LARGEST: usize = 64 << 20;
/// As many masters may send us on to another one before we believe that they run in circles.
const MOST_HOPS: usize = 9;

impl Client {
    /// A client of a connection. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// One line for people: the certificate file can't be read, there are no root certificates on
    /// this machine, or the credentials can't be sent.
    pub async fn new(connection: &MesosConnection, pace: Pace) -> Result<Self, String> {
        let https = connection.masters.iter().any(|master| master.starts_with("https:"));
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("pipe/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(pace.connect)
                .tcp_keepalive(Duration::from_secs(30))
                // A redirect changes the leader, which must be remembered.
                .redirect(reqwest::redirect::Policy::none())
        };
        Ok(Self {
            http: transport::build(https, connection.ca.as_deref(), builder).await?,
            masters: connection.masters.clone(),
            leader: Arc::default(),
            authorization: transport::authorization(
                connection.token.as_ref(),
                connection.username.as_deref(),
                connection.password.as_ref(),
            )?,
            principal: connection.username.clone(),
            pace,
        })
    }

    /// The masters, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        self.masters.join(",")
    }

    /// As whom we log in.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.principal.as_deref()
    }

    /// How patient it is.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// The base URL of the master that led last, else the first that is named.
    #[must_use]
    pub fn leader(&self) -> String {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner).clone();
        leader.or_else(|| self.masters.first().cloned()).unwrap_or_default()
    }

    /// The credentials. The masters of a cluster send us on to each other, and its agents are
    /// named by them, so all of them get these.
    pub(super) fn headers(&self) -> HeaderMap {
        self.authorization.iter().map(|value| (AUTHORIZATION, value.clone())).collect()
    }

    fn remember(&self, base: &str) {
        let mut leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        *leader = Some(base.to_owned());
    }

    /// Where to try, the last leader first.
    fn candidates(&self) -> Vec<String> {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let others = self.masters.iter().filter(|master| Some(*master) != leader.as_ref());
        leader.iter().chain(others).cloned().collect()
    }

    /// Sends a request to the leader, whoever it is. `request` makes it for a base URL. The first
    /// master that answers decides, unless it is not ready.
    pub(super) async fn ask_leader(
        &self,
        request: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> Result<(String, reqwest::Response), Error> {
        let mut worst = None;
        for candidate in self.candidates() {
            match self.follow(candidate, &request).await {
                Ok(found) => {
                    self.remember(&found.0);
                    return Ok(found);
                }
                Err(error) if error.passes() => worst = worst.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(worst.unwrap_or_else(|| Error::Unreachable("no master is named".to_owned())))
    }

    async fn follow(
        &self,
        first: String,
        request: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> Result<(String, reqwest::Response), Error> {
        let mut base = first;
        let mut sent_by: Option<String> = None;
        for _ in 0..MOST_HOPS {
            let request = request(&base).headers(self.headers());
            // Only the head: the body may be a stream without an end.
            let answer = tokio::time::timeout(self.pace.call, request.send()).await;
            let response = match answer {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(self.failure(&error, &base, sent_by.as_deref())),
                Err(_) => return Err(Error::Lost(format!("`{base}` did not answer in time"))),
            };
            if response.status().is_redirection() {
                let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let Some(next) = target.and_then(|target| redirected(&base, target)) else {
                    return Err(Error::Foreign(format!("`{base}` sends us somewhere else")));
                };
                sent_by = Some(std::mem::replace(&mut base, next));
                continue;
            }
            if !response.status().is_success() {
                let status = response.status().as_u16();
                let body = self.body(response).await.unwrap_or_default();
                return Err(Error::read(status, &String::from_utf8_lossy(&body)));
            }
            return Ok((base, response));
        }
        // During an election this passes.
        Err(Error::Lost(format!("the masters send us round in circles, last to `{base}`")))
    }

    /// Sends a call that belongs to a subscription to the master that holds it.
    ///
    /// # Errors
    ///
    /// No answer, or a refusal; a redirect means that the subscription is over.
    pub async fn call(
        &self,
        base: &str,
        stream: &str,
        framework: &Id,
        call: &Call,
    ) -> Result<(), Error> {
        let request = self
            .http
            .post(format!("{base}/api/v1/scheduler"))
            .headers(self.headers())
            .header(ACCEPT, "application/json")
            .header("Mesos-Stream-Id", stream)
            .json(&Envelope { framework_id: Some(framework), call })
            .timeout(self.pace.call);
        let response = request.send().await.map_err(|e| self.failure(&e, base, None))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status.is_redirection() {
            return Err(Error::read(403, "Framework is not subscribed"));
        }
        let body = self.body(response).await.unwrap_or_default();
        Err(Error::read(status.as_u16(), &String::from_utf8_lossy(&body)))
    }

    /// The answer of the leader to a question.
    ///
    /// # Errors
    ///
    /// No answer, a refusal, or something that is no JSON.
    pub async fn get(&self, path: &str) -> Result<Json, Error> {
        let request = |base: &str| {
            self.http
                .get(format!("{base}{path}"))
                .header(ACCEPT, "application/json")
                .timeout(self.pace.call)
        };
        let (base, response) = self.ask_leader(request).await?;
        let body = self.body(response).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Error::Foreign(format!("what answers at `{base}` is no Mesos master")))
    }

    pub(super) async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        loop {
            let chunk = tokio::time::timeout(self.pace.call, response.chunk()).await;
            match chunk {
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= LARGEST => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) => return Ok(body),
                _ => return Err(Error::Lost("the answer broke off".to_owned())),
            }
        }
    }

    /// What became of a request that gave no answer.
    pub(super) fn failure(
        &self,
        error: &reqwest::Error,
        base: &str,
        sent_by: Option<&str>,
    ) -> Error {
        let why = transport::explain(error);
        match sent_by {
            Some(other) if error.is_connect() => Error::Unreachable(format!(
                "`{other}` says that `{base}` leads, which can't be reached from here: {why}"
            )),
            _ if error.is_connect() || error.is_builder() => {
                Error::Unreachable(format!("`{base}` can't be reached: {why}"))
            }
            _ if error.is_timeout() => Error::Lost(format!("`{base}` did not answer in time")),
            _ => Error::Lost(format!("`{base}` broke off: {why}")),
        }
    }
}

/// The base URL of the leader: `Location` is `//host:port/master/api/v1/scheduler`, without a
/// scheme and with a path that is not the one that was asked for. Only host and port count.
fn redirected(base: &str, location: &str) -> Option<String> {
    let mut url = Url::parse(base).ok()?;
    let target = url.join(location).ok()?;
    url.set_host(Some(target.host_str()?)).ok()?;
    // A port that is the scheme's own is none to `Url`.
    url.set_port(target.port()).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::Secret;

    fn authorization(connection: &MesosConnection) -> Result<Option<HeaderValue>, String> {
        let MesosConnection { token, username, password, .. } = connection;
        transport::authorization(token.as_ref(), username.as_deref(), password.as_ref())
    }

    pub(super) fn connection(masters: &[&str]) -> MesosConnection {
        MesosConnection {
            name: None,
            masters: masters.iter().map(|&master| master.to_owned()).collect(),
            token: None,
            username: None,
            password: None,
            role: "*".to_owned(),
            advertise: None,
            ca: None,
        }
    }

    #[test]
    fn a_redirect_changes_host_and_port_alone() {
        let to = |base, location| redirected(base, location).unwrap();
        // As recorded: no scheme, `/master` put in front.
        let recorded = "//127.0.0.1:6050/master/api/v1/scheduler";
        assert_eq!(to("http://127.0.0.1:6052", recorded), "http://127.0.0.1:6050");
        assert_eq!(to("https://m1:5050/mesos", "//m2:5051"), "https://m2:5051/mesos");
        assert_eq!(to("http://m1:5050", "https://m2:5050/x"), "http://m2:5050");
        assert_eq!(to("http://m1:5050", "//m2"), "http://m2");
    }

    #[test]
    fn credentials_become_a_header() {
        let basic = MesosConnection {
            username: Some("pipe".into()),
            password: Some(Secret::new("test-secret")),
            ..connection(&["http://m"])
        };
        // As recorded.
        let header = authorization(&basic).unwrap().unwrap();
        assert_eq!(header, "Basic cGlwZTp0ZXN0LXNlY3JldA==");
        let token = MesosConnection { token: Some(Secret::new("eyJ")), ..basic };
        assert_eq!(authorization(&token).unwrap().unwrap(), "token=eyJ");
    }

    #[tokio::test]
    async fn nobody_at_home_is_one_plain_sentence() {
        let client =
            Client::new(&connection(&["http://127.0.0.1:1"]), Pace::default()).await.unwrap();
        let error = client.get("/version").await.unwrap_err();
        assert_eq!(error.sentence(), "`http://127.0.0.1:1` can't be reached: connection refused");
        assert!(error.passes());
    }
}
