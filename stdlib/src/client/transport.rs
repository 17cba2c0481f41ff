//! What the HTTP clients share: whom they trust, and what they say when nothing answers.

use std::path::Path;

use reqwest::{Certificate, ClientBuilder, header::HeaderValue};

use super::base64;
use crate::core::Secret;

/// Builds a client for a server.
///
/// # Errors
///
/// One line for people: the certificate file can't be read, or nobody is trusted on this machine.
pub async fn build(
    https: bool,
    ca: Option<&Path>,
    builder: impl Fn() -> ClientBuilder,
) -> Result<reqwest::Client, String> {
    // Somebody else may have installed one already, then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let extra = match ca {
        Some(path) => certificates(path).await?,
        None => Vec::new(),
    };
    let built = if https {
        // With certificates of its own a machine needs no bundle of the system.
        builder().tls_certs_merge(extra.clone()).build().or_else(|error| {
            if extra.is_empty() { Err(error) } else { builder().tls_certs_only(extra).build() }
        })
    } else {
        // Plain HTTP must work where there is no bundle at all.
        builder().tls_certs_only([]).build()
    };
    built.map_err(|_| {
        "this machine has no root certificates; install the package `ca-certificates`, \
         or name a file with `ca:`"
            .to_owned()
    })
}

/// Who asks Marathon or Mesos: DC/OS takes `Authorization: token=…` (not `Bearer`), both servers
/// themselves basic authentication. A token goes before a password.
///
/// # Errors
///
/// One line for people: no header can hold it.
pub fn authorization(
    token: Option<&Secret>,
    username: Option<&str>,
    password: Option<&Secret>,
) -> Result<Option<HeaderValue>, String> {
    let text = match (token, username) {
        (Some(token), _) => format!("token={}", token.reveal()),
        (None, Some(name)) => {
            let password = password.map_or("", |secret| secret.reveal());
            format!("Basic {}", base64::encode(format!("{name}:{password}").as_bytes()))
        }
        (None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        "the token has a line end or another byte that no header can hold".to_owned()
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

async fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = tokio::fs::read(path)
        .await
        .map_err(|error| format!("`{}` can't be read: {}", path.display(), words(&error)))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(format!("`{}` holds no certificate in PEM form", path.display())),
    }
}

/// The deepest cause, in words.
#[must_use]
pub fn explain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(error) = cause.downcast_ref::<std::io::Error>()
            && error.get_ref().is_none()
        {
            return words(error);
        }
    }
    let text = cause.to_string();
    if text.contains("certificate") || text.contains("UnknownIssuer") {
        return "its certificate is not trusted here; name the certificate of its authority with `ca:`"
            .to_owned();
    }
    if text.contains("lookup address") || text.contains("Name or service") {
        return "its host name is not known here".to_owned();
    }
    without_number(&text)
}

/// Whether nobody listens there: the machine is up, and says so.
pub(crate) fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = cause {
        let refused = std::io::ErrorKind::ConnectionRefused;
        if found.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == refused) {
            return true;
        }
        cause = found.source();
    }
    false
}

/// An error of the operating system in words, without its number.
pub(crate) fn words(error: &std::io::Error) -> String {
    let text = without_number(&error.to_string());
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => text,
    }
}

fn without_number(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}
