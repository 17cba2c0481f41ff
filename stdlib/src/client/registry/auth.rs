//! The `Authorization` of a request.

use pipe_grammar::Code;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;

use super::{Credentials, Registry, challenge::Challenge, request::Errand};
use crate::{client::base64, core::Failure};

/// Docker's name for programs that fetch tokens.
const CLIENT: &str = "pipe";

impl Registry {
    /// The header that the registry wants, as its challenge said; none: it wants nothing, or there
    /// are no credentials.
    pub(super) async fn authorization(
        &self,
        errand: Errand<'_>,
    ) -> Result<Option<HeaderValue>, Failure> {
        let text = match (&self.challenge, &self.credentials) {
            (Challenge::None, _) | (Challenge::Basic, Credentials::Anonymous) => return Ok(None),
            (Challenge::Basic, Credentials::Token { token, .. }) => {
                format!("Bearer {}", token.reveal())
            }
            (Challenge::Basic, Credentials::Password { username, password, .. }) => {
                basic(username, password.reveal())
            }
            (Challenge::Bearer { realm, service }, _) => {
                format!("Bearer {}", self.token(errand, realm, service.as_deref()).await?)
            }
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| self.unsendable())?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Forgets the token that was refused, unless somebody else has renewed it meanwhile. False
    /// when the header holds no token of ours: then another try is of no use.
    pub(super) fn forget_token(&self, errand: Errand<'_>, refused: Option<&HeaderValue>) -> bool {
        let header = refused.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(refused) = header.strip_prefix("Bearer ") else { return false };
        let Ok(mut tokens) = self.tokens.lock() else { return false };
        if tokens.get(&errand.scope()).is_some_and(|token| token == refused) {
            tokens.remove(&errand.scope());
        }
        matches!(self.challenge, Challenge::Bearer { .. })
    }

    async fn token(
        &self,
        errand: Errand<'_>,
        realm: &str,
        service: Option<&str>,
    ) -> Result<String, Failure> {
        let scope = errand.scope();
        if let Ok(tokens) = self.tokens.lock()
            && let Some(token) = tokens.get(&scope)
        {
            return Ok(token.clone());
        }
        let token = self.fetch_token(errand, realm, service, &scope).await?;
        if let Ok(mut tokens) = self.tokens.lock() {
            tokens.insert(scope, token.clone());
        }
        Ok(token)
    }

    /// Docker's [token](https://distribution.github.io/distribution/spec/auth/token/) and
    /// [OAuth](https://distribution.github.io/distribution/spec/auth/oauth/) requests.
    async fn fetch_token(
        &self,
        errand: Errand<'_>,
        realm: &str,
        service: Option<&str>,
        scope: &str,
    ) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
        }
        let mut query = Vec::new();
        match &self.credentials {
            // OAuth takes one field, with blanks in it.
            Credentials::Token { .. } => query.push(("scope", scope)),
            _ => query.extend(scope.split(' ').map(|scope| ("scope", scope))),
        }
        query.extend(service.map(|service| ("service", service)));
        let answer = match &self.credentials {
            Credentials::Token { token, .. } => {
                query.push(("grant_type", "refresh_token"));
                query.push(("client_id", CLIENT));
                query.push(("refresh_token", token.reveal()));
                let body = form(&query);
                self.repeat(realm, |client| {
                    client
                        .post(realm)
                        .timeout(self.pace.answer)
                        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .body(body.clone())
                })
                .await?
            }
            Credentials::Password { username, password, .. } => {
                query.push(("account", username));
                self.repeat(realm, |client| {
                    let request = client.get(realm).query(&query).timeout(self.pace.answer);
                    request.basic_auth(username, Some(password.reveal()))
                })
                .await?
            }
            Credentials::Anonymous => {
                self.repeat(realm, |client| {
                    client.get(realm).query(&query).timeout(self.pace.answer)
                })
                .await?
            }
        };
        if answer.status() != StatusCode::OK {
            return Err(self.refusal(errand, answer).await);
        }
        let answer: Answer = answer.json().await.map_err(|_| self.no_token())?;
        answer
            .token
            .or(answer.access_token)
            .filter(|t| !t.is_empty())
            .ok_or_else(|| self.no_token())
    }

    fn no_token(&self) -> Failure {
        let message = format!("the login server of `{}` gave no token", self.host);
        Failure::infrastructure(Code::SERVER_ERROR, message)
    }

    fn unsendable(&self) -> Failure {
        let message = format!("the credentials for `{}` can't be sent", self.host);
        Failure::new(Code::REGISTRY_REFUSED, message)
            .help("a line end at the end of a password file is a common cause: use `.trim()`")
    }
}

/// The value of a `Basic` header, RFC 7617.
fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64::encode(format!("{username}:{password}").as_bytes()))
}

/// `a=1&b=2`, percent-encoded.
fn form(fields: &[(&str, &str)]) -> String {
    reqwest::Url::parse_with_params("http://form/", fields)
        .ok()
        .and_then(|url| url.query().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded() {
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("a", ""), "Basic YTo=");
        assert_eq!(form(&[("a", "1 &"), ("b", "ü")]), "a=1+%26&b=%C3%BC");
    }
}
