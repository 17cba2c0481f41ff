//! Under which address tasks reach this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pipe_grammar::Code;
use tokio::net::UdpSocket;

use crate::{connect::split_address, core::Failure};

/// Where tasks find the depot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    /// The port that was asked for.
    pub(super) port: Option<u16>,
}

impl Address {
    /// What `advertise` says; else the address by which this machine reaches the master.
    pub(super) async fn find(advertise: Option<&str>, master: &str) -> Result<Self, Failure> {
        if let Some((host, port)) = advertise.and_then(split_address) {
            return Ok(Self { host: host.to_owned(), port });
        }
        let own = towards(master).await.ok_or_else(|| {
            let what = "this machine has no address under which the agents could reach it";
            Failure::infrastructure(Code::UNREACHABLE_SERVER, what)
                .help("say which one: `connect mesos(…, advertise: \"HOST:PORT\")`")
        })?;
        let host = match own {
            IpAddr::V6(own) => format!("[{own}]"),
            IpAddr::V4(own) => own.to_string(),
        };
        Ok(Self { host, port: None })
    }

    /// With the port that is listened on.
    pub(super) fn url(&self, port: u16) -> String {
        format!("http://{}:{}", self.host, self.port.unwrap_or(port))
    }
}

/// The own address on the way to a server. Nothing is sent: the kernel only looks for the way.
async fn towards(url: &str) -> Option<IpAddr> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default()?;
    for target in tokio::net::lookup_host((host, port)).await.ok()? {
        let any: IpAddr = match target {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let Ok(socket) = UdpSocket::bind((any, 0)).await else { continue };
        if socket.connect(target).await.is_ok()
            && let Ok(own) = socket.local_addr()
        {
            return Some(own.ip());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn what_is_advertised_goes_before_what_is_found() {
        let found = Address::find(None, "http://127.0.0.1:5050").await.unwrap();
        assert_eq!(found.url(7000), "http://127.0.0.1:7000");
        let host = Address::find(Some("ci.example.com"), "http://x").await.unwrap();
        assert_eq!((host.url(7000), host.port), ("http://ci.example.com:7000".into(), None));
        let both = Address::find(Some("ci.example.com:9000"), "http://x").await.unwrap();
        assert_eq!((both.url(9000), both.port), ("http://ci.example.com:9000".into(), Some(9000)));
        let lost = Address::find(None, "http://nowhere.invalid:5050").await.unwrap_err();
        assert!(lost.help[0].contains("advertise"));
    }
}
