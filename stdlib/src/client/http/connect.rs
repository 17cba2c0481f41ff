//! A client as the environment asks for one.

use std::{fs, path::Path, time::Duration};

use pipe_grammar::Code;
use reqwest::{Certificate, Client, NoProxy, Proxy, redirect::Policy};

use crate::core::{Failure, World};

/// Which redirects are followed, at most ten in a row. Standard credentials never go to another
/// host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Redirects {
    /// All of them.
    All,
    /// Only those within the host: the request holds a secret that no other one must see.
    Home,
    /// None: the redirect is the answer.
    None,
}

/// So many redirects in a row are followed.
const MOST_REDIRECTS: usize = 10;
/// For a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that sends nothing for so long has died.
const SILENCE: Duration = Duration::from_secs(60);

/// A client with the proxies and certificates of the environment.
pub(crate) fn client(world: &World, redirects: Redirects) -> Result<Client, Failure> {
    // Somebody else may have installed one already, then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxies = proxies(world)?;
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("pipe/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(policy(redirects))
            // It would tell another host the URL, which may hold a secret.
            .referer(false)
            .no_proxy();
        proxies.iter().cloned().fold(builder, reqwest::ClientBuilder::proxy)
    };
    match world.variable("SSL_CERT_FILE").filter(|path| !path.is_empty()) {
        Some(path) => {
            let trusted = certificates(Path::new(path))?;
            builder().tls_certs_only(trusted).build().map_err(Failure::internal)
        }
        // A machine without certificates still speaks plain HTTP; over TLS it trusts nobody.
        None => builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(Failure::internal),
    }
}

fn policy(redirects: Redirects) -> Policy {
    match redirects {
        Redirects::All => Policy::limited(MOST_REDIRECTS),
        Redirects::None => Policy::none(),
        Redirects::Home => Policy::custom(|attempt| {
            let first = attempt.previous().first();
            if first.is_none_or(|first| first.origin() != attempt.url().origin()) {
                attempt.stop()
            } else if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("too many redirects")
            } else {
                attempt.follow()
            }
        }),
    }
}

fn proxies(world: &World) -> Result<Vec<Proxy>, Failure> {
    let set = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let of = |name: &str| world.variable(name).filter(|text| !text.is_empty());
        of(&lower).or_else(|| of(name))
    };
    let except = set("NO_PROXY").and_then(NoProxy::from_string);
    let mut all = Vec::new();
    type Make = fn(&str) -> reqwest::Result<Proxy>;
    let made: [(_, Make); 3] = [
        ("HTTPS_PROXY", |url| Proxy::https(url)),
        ("HTTP_PROXY", |url| Proxy::http(url)),
        ("ALL_PROXY", |url| Proxy::all(url)),
    ];
    for (name, make) in made {
        let Some(url) = set(name) else { continue };
        let proxy = make(url).map_err(|_| {
            let what = format!("the variable `{name}` is no address of a proxy");
            Failure::infrastructure(Code::UNREACHABLE_SERVER, what)
                .help("it looks like `http://proxy.example.com:3128`")
        })?;
        all.push(proxy.no_proxy(except.clone()));
    }
    Ok(all)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let bad = |why: &str| {
        let what = format!("`{}`, which `SSL_CERT_FILE` names, {why}", path.display());
        Failure::infrastructure(Code::UNREACHABLE_SERVER, what)
    };
    let text = fs::read(path)
        .map_err(|error| bad(&format!("can't be read: {}", pipe_oci::plain(&error))))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(list) if !list.is_empty() => Ok(list),
        _ => Err(bad("holds no certificate in PEM form")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn world(name: &str, value: &str) -> World {
        World::new("/".into(), "/".into(), [(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn what_is_wrong_in_the_environment_is_named() {
        let bad = |name, value| client(&world(name, value), Redirects::All).unwrap_err().message;
        assert_eq!(
            bad("HTTPS_PROXY", "ht tp://"),
            "the variable `HTTPS_PROXY` is no address of a proxy"
        );
        assert_eq!(
            bad("SSL_CERT_FILE", "/nonexistent"),
            "`/nonexistent`, which `SSL_CERT_FILE` names, can't be read: no such file or directory"
        );
        assert!(bad("SSL_CERT_FILE", "/dev/null").ends_with("holds no certificate in PEM form"));
    }
}
