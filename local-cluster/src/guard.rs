//! Who may talk to the cluster: programs of the user that it runs as, and of root. Whoever reaches
//! its ports can run commands as that user, and a port of the loop-back address is open to every
//! user of the machine and, through a browser, to every page of the web.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, connect_info::Connected},
    http::{StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};

/// Listens at the loop-back address and takes connections of the right users only.
pub(crate) struct Guarded(pub(crate) TcpListener);

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(SocketAddr);

impl Peer {
    /// The address without the port.
    pub(crate) fn ip(self) -> String {
        self.0.ip().to_string()
    }
}

impl Listener for Guarded {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // Axum's own: it waits when the process has no descriptors left.
            let (stream, peer) = Listener::accept(&mut self.0).await;
            let own = stream.local_addr();
            if own.is_ok_and(|own| is_own_user(own, peer)) {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Guarded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Guarded>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let info = parts.extensions.get::<ConnectInfo<Self>>();
        Ok(info.map_or(Self(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), |info| info.0))
    }
}

/// Whether the other end of a connection belongs to root or to the user of this process. The
/// kernel lists the owners of all sockets; a socket that it does not list is of another network
/// namespace or gone.
fn is_own_user(own: SocketAddr, peer: SocketAddr) -> bool {
    let (SocketAddr::V4(own), SocketAddr::V4(peer)) = (own, peer) else {
        return false;
    };
    let Ok(table) = fs::read_to_string("/proc/net/tcp") else {
        return false;
    };
    let written = |address: std::net::SocketAddrV4| {
        let ip = u32::from_ne_bytes(address.ip().octets());
        format!("{ip:08X}:{:04X}", address.port())
    };
    let (local, remote) = (written(peer), written(own));
    let user = rustix::process::geteuid().as_raw();
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next() == Some(&local)
            && fields.next() == Some(&remote)
            && fields.nth(4).and_then(|uid| uid.parse().ok()).is_some_and(|uid: u32| uid == user || uid == 0)
            // A socket that its owner closed has no inode, and is listed as root's.
            && fields.nth(1).is_some_and(|inode| inode != "0")
    })
}

/// Refuses what a browser sends for a page of another place: requests with a foreign origin, and
/// those that reached this address by a name that somebody made point here.
pub(crate) async fn local_only(request: Request, next: Next) -> Response {
    if is_foreign(&request) {
        let text = "the local cluster answers requests of this machine only\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

fn is_foreign(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).or_else(|| request.uri().authority().map(|a| a.as_str()));
    let origin =
        text(header::ORIGIN).map(|origin| origin.split_once("://").map_or(origin, |o| o.1));
    !host.is_none_or(is_local) || !origin.is_none_or(is_local)
}

fn is_local(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        for (host, local) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("localhost.evil.example:80", false),
            ("evil.example", false),
            ("null", false),
        ] {
            assert_eq!(is_local(host), local, "{host}");
        }
    }

    #[test]
    fn the_owner_of_a_connection_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        assert!(is_own_user(address, client.local_addr().unwrap()));
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        assert!(!is_own_user(address, nobody));
    }
}
