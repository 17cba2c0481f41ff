//! The requests, and how often each is sent.
//!
//! A question is asked again while there is no leader or no connection. A change is sent again
//! only when it provably did not arrive; after a lost answer the caller looks before it sends
//! anything (`/v2/apps`, `/v2/deployments`).

use std::time::{Duration, Instant};

use reqwest::{Method, header};
use serde_json::Value as Json;

use super::{App, Client, Deployment, Error, Kind, Queued, Refusal, ServerVersion};

/// More than any answer of Marathon; a body beyond it is not read.
const LARGEST: usize = 64 << 20;

/// What Marathon answers to an accepted change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The deployment; none before 0.7.
    pub deployment: Option<String>,
    /// The version that it leads to.
    pub version: String,
}

impl Client {
    /// Asks who the server is, and learns what it can do.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn learn(&mut self) -> Result<Json, Error> {
        let info = match self.get("/v2/info").await {
            Ok(info) => info,
            Err(Error::Refused(refusal))
                if refusal.kind == Kind::NotFound
                    || refusal.message.starts_with("URI not found") =>
            {
                return Err(self.foreign());
            }
            Err(error) => return Err(error),
        };
        let version = info["version"].as_str().ok_or_else(|| self.foreign())?;
        self.version = ServerVersion::read(version);
        Ok(info)
    }

    /// An app with its tasks; none when there is no such app.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn app(&self, id: &str) -> Result<Option<App>, Error> {
        match self.get(&format!("/v2/apps{id}")).await {
            Ok(json) => App::read(&json).map(Some).ok_or_else(|| self.foreign()),
            Err(error) if error.kind() == Some(Kind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The definition that an app had in an earlier version.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn app_version(&self, id: &str, version: &str) -> Result<Option<App>, Error> {
        match self.get(&format!("/v2/apps{id}/versions/{version}")).await {
            Ok(json) => App::read(&json).map(Some).ok_or_else(|| self.foreign()),
            Err(error) if error.kind() == Some(Kind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The versions of an app that the server still has, newest first.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn versions(&self, id: &str) -> Result<Vec<String>, Error> {
        let json = self.get(&format!("/v2/apps{id}/versions")).await?;
        let list = json["versions"].as_array().ok_or_else(|| self.foreign())?;
        Ok(list.iter().filter_map(|version| version.as_str().map(str::to_owned)).collect())
    }

    /// The deployments that run.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn deployments(&self) -> Result<Vec<Deployment>, Error> {
        Deployment::read_all(&self.get("/v2/deployments").await?).ok_or_else(|| self.foreign())
    }

    /// The tasks that wait to be started.
    ///
    /// # Errors
    ///
    /// No answer, or not Marathon's.
    pub async fn queue(&self) -> Result<Vec<Queued>, Error> {
        Queued::read_all(&self.get("/v2/queue").await?).ok_or_else(|| self.foreign())
    }

    /// Creates or changes an app. `replace`: fields that are missing take their defaults, where
    /// the server can do that; otherwise they stay. `force` cancels the deployments that hold it.
    ///
    /// # Errors
    ///
    /// A refusal, or no answer: then see [`Error::never_arrived`].
    pub async fn put_app(
        &self,
        id: &str,
        body: &Json,
        replace: bool,
        force: bool,
    ) -> Result<Change, Error> {
        let mut query = Vec::new();
        if force {
            query.push(("force", "true"));
        }
        if replace && self.version.replaces() {
            query.push(("partialUpdate", "false"));
        }
        self.change(Method::PUT, &format!("/v2/apps{id}"), &query, Some(body)).await
    }

    /// Starts every task of an app anew.
    ///
    /// # Errors
    ///
    /// A refusal, or no answer.
    pub async fn restart_app(&self, id: &str, force: bool) -> Result<Change, Error> {
        let query: &[_] = if force { &[("force", "true")] } else { &[] };
        self.change(Method::POST, &format!("/v2/apps{id}/restart"), query, None).await
    }

    /// Removes an app, with its tasks and versions.
    ///
    /// # Errors
    ///
    /// A refusal, or no answer.
    pub async fn delete_app(&self, id: &str, force: bool) -> Result<Change, Error> {
        // The server's own default is true.
        let query = [("force", if force { "true" } else { "false" })];
        self.change(Method::DELETE, &format!("/v2/apps{id}"), &query, None).await
    }

    /// A question; asked again while it can't be answered.
    pub(super) async fn get(&self, path: &str) -> Result<Json, Error> {
        let attempt = || self.send(Method::GET, path, &[], None, self.pace.read);
        Ok(self.again(attempt, Error::passes).await?.1)
    }

    async fn change(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
    ) -> Result<Change, Error> {
        let attempt = || self.send(method.clone(), path, query, body, self.pace.write);
        let (headers, json) = self.again(attempt, Error::never_arrived).await?;
        let header = headers.get("marathon-deployment-id").and_then(|value| value.to_str().ok());
        let version = json["version"].as_str().ok_or_else(|| self.foreign())?;
        Ok(Change {
            deployment: json["deploymentId"].as_str().or(header).map(str::to_owned),
            version: version.to_owned(),
        })
    }

    /// Tries until it works, the error is one that stays, or patience is over.
    async fn again<T, F: Future<Output = Result<T, Error>>>(
        &self,
        attempt: impl Fn() -> F,
        retry: fn(&Error) -> bool,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let mut pause = self.pace.pause;
        loop {
            match attempt().await {
                Err(error) if retry(&error) && start.elapsed() + pause < self.pace.patience => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                done => return done,
            }
        }
    }

    /// Sends once.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
        timeout: Duration,
    ) -> Result<(header::HeaderMap, Json), Error> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .query(query)
            .headers(self.headers())
            .header(header::ACCEPT, "application/json")
            .timeout(timeout);
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        if status.is_redirection() {
            let target = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            return Err(Error::Foreign(match target {
                Some(target) => format!("`{}` sends us on to `{target}`", self.base),
                None => self.foreign().sentence(),
            }));
        }
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if text.len() + chunk.len() > LARGEST {
                return Err(Error::Foreign(format!("`{}` answers more than 64 MiB", self.base)));
            }
            text.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let body = String::from_utf8_lossy(&text);
            return Err(Error::Refused(Box::new(Refusal::read(status.as_u16(), &body))));
        }
        let json = if text.is_empty() {
            Json::Null
        } else {
            serde_json::from_slice(&text).map_err(|_| self.foreign())?
        };
        Ok((response.headers().clone(), json))
    }

    fn foreign(&self) -> Error {
        Error::Foreign(format!("what answers at `{}` is no Marathon", self.base))
    }
}
