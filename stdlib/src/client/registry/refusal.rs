//! What a registry's refusal means for the person who runs the pipeline.

use pipe_grammar::Code;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::{Credentials, Registry, Source, request::Errand};
use crate::core::{Failure, FailureKind};

impl Registry {
    /// Turns an answer that is none of the expected ones into a failure.
    pub(super) async fn refusal(&self, errand: Errand<'_>, answer: Response) -> Failure {
        let status = answer.status();
        // A proxy may answer with a page of any length.
        let body = tokio::time::timeout(self.pace.answer, answer.text()).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        self.refused(errand, status, &reason(&body))
    }

    /// `reason`: the registry's own words; may be empty.
    pub(super) fn refused(&self, errand: Errand<'_>, status: StatusCode, reason: &str) -> Failure {
        let (host, path) = (&self.host, errand.path);
        let refused = |message: String| Failure::new(Code::REGISTRY_REFUSED, message);
        let failure = match status.as_u16() {
            401 => self.unauthorized(errand),
            403 => refused(match self.username() {
                Some(user) if errand.push => {
                    format!("`{host}` does not let `{user}` push to `{path}`")
                }
                Some(user) => format!("`{host}` does not let `{user}` pull `{path}`"),
                None if errand.push => format!("`{host}` does not let anybody push to `{path}`"),
                None => format!("`{host}` lets nobody pull `{path}` without a login"),
            })
            .help(match self.username() {
                Some(_) => "ask its owner for the right to, or name another repository".to_owned(),
                None => self.connect_line(),
            }),
            404 if errand.push => refused(format!("`{host}` has no repository `{path}`"))
                .help("make it in the registry first, or check its name"),
            404 => refused(format!("`{host}` has no image of this name: `{path}`"))
                .help("check its name and tag; a private one is shown only after a login"),
            413 => refused(format!("a layer of the image is too big for `{host}`")).help(
                "raise the limit of the registry or of the proxy before it \
                 (`client_max_body_size` in nginx), or make the layer smaller",
            ),
            429 => {
                let failure = refused(format!("`{host}` takes no more requests for now"))
                    .kind(FailureKind::Infrastructure);
                match self.credentials {
                    Credentials::Anonymous => failure
                        .help(format!("who logs in may ask more often: {}", self.connect_line())),
                    _ => failure.help("run it again later"),
                }
            }
            500.. => Failure::infrastructure(
                Code::SERVER_ERROR,
                format!("the registry `{host}` failed (status {})", status.as_u16()),
            )
            .help("it was tried several times; its own log tells more"),
            number => refused(format!("`{host}` refused `{path}` (status {number})")),
        };
        let lines = reason.lines().take(8).map(str::to_owned).collect();
        failure.evidence(format!("what `{host}` says"), lines)
    }

    fn unauthorized(&self, errand: Errand<'_>) -> Failure {
        let (host, path) = (&self.host, errand.path);
        let failure = |message: String| Failure::new(Code::REGISTRY_REFUSED, message);
        match (&self.credentials, self.credentials.source()) {
            (Credentials::Password { username, .. }, Some(Source::Connect)) => {
                failure(format!("`{host}` refused the login of `{username}`")).help(format!(
                    "check the name and the password in `connect docker(\"{host}\", username: …, password: …)`"
                ))
            }
            (Credentials::Password { username, .. }, _) => {
                failure(format!("`{host}` refused the login of `{username}`")).help(format!(
                    "it comes from Docker's configuration: log in again with `docker login {host}`, or: {}",
                    self.connect_line()
                ))
            }
            (Credentials::Token { .. }, _) => {
                failure(format!("`{host}` refused the login that Docker's configuration holds"))
                    .help(format!("log in again with `docker login {host}`, or: {}", self.connect_line()))
            }
            (Credentials::Anonymous, _) => {
                let to = if errand.push { "push to" } else { "pull" };
                failure(format!("`{host}` wants a login to {to} `{path}`")).help(self.connect_line())
            }
        }
    }

    fn connect_line(&self) -> String {
        format!("connect docker(\"{}\", username: \"…\", password: …)", self.host)
    }
}

/// The words in an error body of the distribution specification; of another body its text, unless
/// it is a page for browsers.
fn reason(body: &str) -> String {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Vec<Item>,
        details: Option<String>,
    }
    #[derive(Deserialize)]
    struct Item {
        #[serde(default)]
        code: String,
        message: Option<String>,
    }
    if let Ok(body) = serde_json::from_str::<Body>(body) {
        let words = |item: Item| item.message.filter(|m| !m.is_empty()).unwrap_or(item.code);
        let lines: Vec<String> = body.errors.into_iter().map(words).chain(body.details).collect();
        return lines.join("\n");
    }
    let text = body.trim();
    let for_people = !text.starts_with('<') && !text.starts_with('{') && text.len() < 2000;
    if for_people { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_taken_out_of_a_body() {
        let body = r#"{"errors":[{"code":"DENIED","message":"requested access is denied","detail":[]},{"code":"X"}]}"#;
        assert_eq!(reason(body), "requested access is denied\nX");
        assert_eq!(
            reason(r#"{"details":"incorrect username or password"}"#),
            "incorrect username or password"
        );
        assert_eq!(reason("<html><body>502</body></html>"), "");
        assert_eq!(reason(" upstream is gone\n"), "upstream is gone");
        assert_eq!(reason(""), "");
    }
}
