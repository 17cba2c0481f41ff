//! How a registry is reached: which address, by TLS or without.

use std::{fs, net::IpAddr, path::PathBuf, sync::OnceLock, time::Duration};

use pipe_grammar::Code;
use reqwest::{Certificate, Client, StatusCode};

use super::{Pace, challenge::Challenge, request::why};
use crate::core::{Failure, World};

/// HTTP clients for one registry: one for plain HTTP that needs no certificates of this machine,
/// and one for TLS, made when it is needed.
pub(super) struct Transport {
    plain: Client,
    secure: OnceLock<Client>,
    /// Take a certificate that nobody signed.
    unverified: bool,
    /// Who may sign one, besides those that this machine trusts.
    authorities: Vec<Certificate>,
    /// No proxy is asked for this machine.
    is_local: bool,
}

impl Transport {
    fn new(
        unverified: bool,
        is_local: bool,
        authorities: Vec<Certificate>,
    ) -> Result<Self, Failure> {
        // Somebody else may have installed one already, then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Building a client reads the certificates of the machine and fails where there are none,
        // even if nobody wants TLS.
        let plain = builder(is_local).tls_certs_only([]).build().map_err(Failure::internal)?;
        Ok(Self { plain, secure: OnceLock::new(), unverified, authorities, is_local })
    }

    /// The client for a URL.
    pub(super) fn client(&self, url: &str) -> Result<&Client, Failure> {
        if !url.starts_with("https:") {
            return Ok(&self.plain);
        }
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let built = if self.unverified {
            builder(self.is_local).tls_certs_only([]).tls_danger_accept_invalid_certs(true).build()
        } else {
            let more = || self.authorities.iter().cloned();
            // With certificates of its own a machine needs no bundle of the system.
            builder(self.is_local).tls_certs_merge(more()).build().or_else(|error| {
                if self.authorities.is_empty() {
                    return Err(error);
                }
                builder(self.is_local).tls_certs_only(more()).build()
            })
        };
        let client = built.map_err(|_| no_certificates())?;
        Ok(self.secure.get_or_init(|| client))
    }
}

/// Who may sign the certificate of a registry, as
/// [Docker](https://docs.docker.com/engine/security/certificates/) and podman are told: the files
/// `*.crt` in `certs.d/HOST` below `/etc/docker`, `/etc/containers` and, for each user,
/// `~/.config/docker` and `~/.config/containers`.
pub(super) fn authorities(host: &str, world: &World) -> Result<Vec<Certificate>, Failure> {
    let config = world.home().map(|home| home.join(".config"));
    let roots = config.iter().flat_map(|c| [c.join("docker"), c.join("containers")]);
    let mut found = Vec::new();
    for root in roots.chain(["/etc/docker".into(), "/etc/containers".into()]) {
        let Ok(items) = fs::read_dir(root.join("certs.d").join(host)) else { continue };
        let mut paths: Vec<PathBuf> = items.flatten().map(|item| item.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "crt"));
        paths.sort();
        for path in paths {
            let wrong = |why: &str| {
                let message = format!("`{}` can't be read: {why}", world.display(&path));
                Failure::new(Code::BAD_FILE, message)
            };
            let text = fs::read(&path).map_err(|e| wrong(&pipe_oci::plain(&e)))?;
            let certificates = Certificate::from_pem_bundle(&text).unwrap_or_default();
            if certificates.is_empty() {
                return Err(wrong("it is no certificate in PEM"));
            }
            found.extend(certificates);
        }
    }
    Ok(found)
}

fn builder(is_local: bool) -> reqwest::ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("pipe/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .no_gzip();
    if is_local { builder.no_proxy() } else { builder }
}

fn no_certificates() -> Failure {
    Failure::infrastructure(
        Code::UNREACHABLE_SERVER,
        "this machine has no root certificates, so no registry can be trusted",
    )
    .help("install the package `ca-certificates`, or mount `/etc/ssl/certs` into the container")
}

/// Whether the host, with or without a port, is this machine: Docker allows plain HTTP there.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => &host[..at],
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Finds the address of a registry and how it wants to be asked.
pub(super) async fn reach(
    host: &str,
    insecure: bool,
    authorities: Vec<Certificate>,
    pace: Pace,
) -> Result<(String, Transport, Challenge), Failure> {
    let is_local = is_loopback(host);
    let transport = Transport::new(insecure || is_local, is_local, authorities)?;
    // Docker Hub's registry has another name than its images.
    let address = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let schemes: &[&str] = match (is_local, insecure) {
        (true, _) => &["http", "https"],
        (false, true) => &["https", "http"],
        (false, false) => &["https"],
    };
    let mut pause = pace.pause;
    for attempt in 1..=pace.tries {
        let mut last = None;
        for scheme in schemes {
            let base = format!("{scheme}://{address}");
            match ask(&transport, &base, pace).await {
                Ok(challenge) => return Ok((base, transport, challenge)),
                Err(Miss::Broken(failure)) => return Err(failure),
                Err(Miss::Unreachable(why)) => last = last.or(Some((why, true))),
                Err(Miss::Other(status)) => last = Some((status, false)),
            }
        }
        let (why, unreachable) = last.unwrap_or_default();
        let hopeless = why.contains("not known") || why.contains("certificate");
        if attempt == pace.tries || hopeless {
            return Err(unreached(host, &why, unreachable, insecure || is_local));
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Err(unreached(host, "it was never asked", true, true))
}

enum Miss {
    /// Nothing answered; why.
    Unreachable(String),
    /// Something answered, but not as a registry does; with what.
    Other(String),
    /// This machine can't ask.
    Broken(Failure),
}

/// `GET /v2/`: 200 or 401 is a registry.
async fn ask(transport: &Transport, base: &str, pace: Pace) -> Result<Challenge, Miss> {
    let client = transport.client(base).map_err(Miss::Broken)?;
    let request = client.get(format!("{base}/v2/")).timeout(pace.answer);
    let answer = request.send().await.map_err(|e| Miss::Unreachable(why(&e)))?;
    match answer.status() {
        StatusCode::OK => Ok(Challenge::None),
        StatusCode::UNAUTHORIZED => Ok(Challenge::of(answer.headers())),
        status => Err(Miss::Other(status.to_string())),
    }
}

fn unreached(host: &str, why: &str, unreachable: bool, insecure: bool) -> Failure {
    if !unreachable {
        let message = format!("`{host}` does not answer as a registry: `{why}` to `/v2/`");
        return Failure::infrastructure(Code::SERVER_ERROR, message)
            .help("is it the right host and port? an image is named `HOST:PORT/NAME:TAG`");
    }
    let message = format!("the registry `{host}` can't be reached: {why}");
    let failure = Failure::infrastructure(Code::UNREACHABLE_SERVER, message);
    if why.contains("certificate") || (why.contains("TLS") && !insecure) {
        let failure = failure.help(format!(
            "put the certificate of its authority into `/etc/docker/certs.d/{host}/ca.crt`"
        ));
        failure.help(format!(
            "if it speaks plain HTTP, or its certificate is its own: `connect docker(\"{host}\", insecure: true)`"
        ))
    } else if is_loopback(host) {
        failure.help("is it running? `pipe run --local` brings a registry of its own")
    } else {
        failure.help("is the name right, and does this machine reach it (proxy, VPN, firewall)?")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_rest() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["docker.io", "localhost.example.com", "10.0.0.1:5000", "[2001:db8::1]:5000"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
