//! `connect mesos(url, …)`

use std::sync::OnceLock;

use pipe_grammar::Code;

use super::{Connector, docker::hidden};
use crate::core::{Arguments, Connections, Failure, MesosConnection};

pub(super) static CONNECTOR: Connector = Connector {
    name: "mesos",
    declaration: "
    # The masters of a Mesos cluster, or the Mesos of a DC/OS cluster.
    (
      # `http://mesos.example.com:5050`, `https://dcos.example.com/mesos`; several masters with a
      # comma between them, any of which may lead.
      url: string,
      # A DC/OS token; a secret.
      token: hidden?,
      # Who logs in, for HTTP basic authentication; Mesos calls it the principal.
      username: string?,
      # With what; a secret.
      password: hidden?,
      # The role whose offers are taken.
      role: string = \"*\",
      # `HOST` or `HOST:PORT` under which tasks reach this machine, when they can't find it.
      advertise: string?,
      # A file with further root certificates, PEM.
      ca: path?,
    )
    ",
    example: r#"connect mesos("http://mesos.example.com:5050", role: "ci")"#,
    takes_alias: true,
    add,
    signature: OnceLock::new(),
};

fn add(connections: &mut Connections, name: Option<&str>, a: &Arguments) -> Result<(), Failure> {
    let written: String = a.get("url")?;
    let role: String = a.get("role")?;
    if let Some(why) = wrong_role(&role) {
        return Err(wrong(format!("`{role}` is no role of Mesos: {why}")).at_argument("role"));
    }
    let advertise = a.get::<Option<String>>("advertise")?;
    if let Some(address) = &advertise
        && split_address(address).is_none()
    {
        return Err(wrong(format!("`{address}` is no address"))
            .at_argument("advertise")
            .help("write `HOST:PORT`, or `HOST` alone for any port"));
    }
    connections.mesos.push(MesosConnection {
        name: name.map(str::to_owned),
        masters: masters(&written)?,
        token: hidden(a.value("token")),
        username: a.get("username")?,
        password: hidden(a.value("password")),
        role,
        advertise,
        ca: a.get::<Option<String>>("ca")?.map(Into::into),
    });
    Ok(())
}

fn wrong(what: String) -> Failure {
    Failure::new(Code::NO_CONNECTION, what)
}

/// The masters in what people write.
fn masters(written: &str) -> Result<Vec<String>, Failure> {
    if written.starts_with("zk://") {
        return Err(wrong("`pipe` does not ask ZooKeeper which master leads".to_owned())
            .at_argument("url")
            .help("list the masters: `\"http://m1:5050,http://m2:5050,http://m3:5050\"`")
            .help("each of them knows which one leads"));
    }
    // A scheme stands for those behind it: `http://m1:5050,m2:5050`.
    let mut scheme = "";
    let mut masters = Vec::new();
    for part in written.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (own, rest) = part.split_once("://").unwrap_or(("", part));
        if !own.is_empty() {
            scheme = own;
        }
        let rest = rest.trim_end_matches('/');
        if !matches!(scheme, "http" | "https") || rest.is_empty() {
            return Err(wrong(format!("`{part}` is no URL of a Mesos master"))
                .at_argument("url")
                .help(format!("write `http://{rest}`")));
        }
        masters.push(format!("{scheme}://{rest}"));
    }
    if masters.is_empty() {
        return Err(wrong("no Mesos master is named".to_owned())
            .at_argument("url")
            .help("write `\"http://mesos.example.com:5050\"`"));
    }
    Ok(masters)
}

/// Why a name is no role (`roles.md` of Mesos); roles nest with `/`.
pub(crate) fn wrong_role(role: &str) -> Option<&'static str> {
    if role == "*" {
        return None;
    }
    role.split('/').find_map(|part| {
        if part.is_empty() {
            Some("a part of it is empty")
        } else if part == "." || part == ".." {
            Some("`.` and `..` are none")
        } else if part.starts_with('-') {
            Some("it begins with `-`")
        } else if part == "*" {
            Some("`*` stands alone")
        } else if part.chars().any(|c| c.is_whitespace() || c.is_control()) {
            Some("it holds a blank")
        } else {
            None
        }
    })
}

/// `HOST`, `HOST:PORT`, `[::1]:PORT`, as host and port.
pub(crate) fn split_address(address: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match address.rsplit_once(':') {
        _ if address.ends_with(']') => (address, None),
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (address, None),
    };
    let plain = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match plain {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    good.then_some((host, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn masters_are_listed_with_commas() {
        let read = |written| masters(written).unwrap();
        assert_eq!(read("http://m1:5050/"), ["http://m1:5050"]);
        assert_eq!(read("https://dcos.example.com/mesos"), ["https://dcos.example.com/mesos"]);
        assert_eq!(read("http://m1:5050, m2:5050"), ["http://m1:5050", "http://m2:5050"]);
        assert!(masters("zk://z1:2181/mesos").unwrap_err().help[0].contains("list the masters"));
        assert_eq!(masters("m1:5050").unwrap_err().help, ["write `http://m1:5050`"]);
        assert!(masters(" , ").is_err());
    }

    #[test]
    fn addresses_may_lack_their_port() {
        assert_eq!(split_address("ci.example.com"), Some(("ci.example.com", None)));
        assert_eq!(split_address("10.0.0.7:9000"), Some(("10.0.0.7", Some(9000))));
        assert_eq!(split_address("[fd00::1]:9000"), Some(("[fd00::1]", Some(9000))));
        assert_eq!(split_address("[fd00::1]"), Some(("[fd00::1]", None)));
        for bad in ["", ":9000", "http://ci", "ci:port", "ci:70000", "[ci]:1", "a b"] {
            assert_eq!(split_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn roles_are_those_of_mesos() {
        for good in ["*", "ci", "eng/ci", "a.b"] {
            assert_eq!(wrong_role(good), None, "{good}");
        }
        for bad in ["", "/ci", "ci/", "-ci", "a b", "..", "a/*"] {
            assert!(wrong_role(bad).is_some(), "{bad}");
        }
    }
}
