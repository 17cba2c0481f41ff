//! Where built-ins go, and as whom: what `connect` and the environment say, bound by the plan.

use super::Secret;

/// Credentials of one registry host, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerConnection {
    /// `docker.io`, `registry.example.com`, `127.0.0.1:5000`.
    pub registry: String,
    /// Who logs in; none: anonymous, or what `~/.docker/config.json` says.
    pub username: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// Plain HTTP, or a certificate that nobody signed.
    pub insecure: bool,
}

/// A Marathon or a DC/OS service URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarathonConnection {
    /// The name after `as`; none for the default one.
    pub name: Option<String>,
    /// `https://dcos.example.com/service/marathon`, without a slash at its end.
    pub url: String,
    /// A DC/OS token, sent as `Authorization: token=…`.
    pub token: Option<Secret>,
    /// HTTP basic authentication.
    pub username: Option<String>,
    /// HTTP basic authentication.
    pub password: Option<Secret>,
    /// A file with further root certificates, PEM.
    pub ca: Option<std::path::PathBuf>,
    /// Whether it is the local cluster of this machine.
    pub local: bool,
}

/// The masters of a Mesos cluster, or a DC/OS URL that ends with `/mesos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MesosConnection {
    /// The name after `as`; none for the default one.
    pub name: Option<String>,
    /// `http://m1.example.com:5050`, without a slash at the end; any of them may lead.
    pub masters: Vec<String>,
    /// A DC/OS token, sent as `Authorization: token=…`.
    pub token: Option<Secret>,
    /// HTTP basic authentication; also the principal.
    pub username: Option<String>,
    /// HTTP basic authentication.
    pub password: Option<Secret>,
    /// The role whose offers are taken, unless a task names another one.
    pub role: String,
    /// `HOST` or `HOST:PORT` under which the tasks reach this machine.
    pub advertise: Option<String>,
    /// A file with further root certificates, PEM.
    pub ca: Option<std::path::PathBuf>,
}

/// The local cluster of this machine, when the run uses it (`--local`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCluster {
    /// Marathon's address: `http://127.0.0.1:PORT`.
    pub marathon: String,
    /// The registry's: `127.0.0.1:PORT`.
    pub registry: String,
}

impl LocalCluster {
    /// What an image reference is called here: `HOST/NAME:TAG` is `127.0.0.1:PORT/HOST/NAME:TAG`.
    /// A reference that already names the local registry stays.
    #[must_use]
    pub fn image(&self, reference: &str) -> String {
        let own = reference.strip_prefix(&self.registry).is_some_and(|rest| rest.starts_with('/'));
        if own { reference.to_owned() } else { format!("{}/{reference}", self.registry) }
    }
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// By registry host; at most one for each.
    pub docker: Vec<DockerConnection>,
    /// `unix://…`, `tcp://…`, `ssh://…`: where the Docker Engine listens, if a `connect` says so.
    pub engine: Option<String>,
    /// By name.
    pub marathon: Vec<MarathonConnection>,
    /// By name.
    pub mesos: Vec<MesosConnection>,
    /// Set by `--local`: then every push, pull and deployment goes there, whatever else is set.
    pub local: Option<LocalCluster>,
}

impl Connections {
    /// The connection of a registry host.
    #[must_use]
    pub fn registry(&self, host: &str) -> Option<&DockerConnection> {
        self.docker.iter().find(|c| c.registry == host)
    }

    /// The Marathon with this name; without a name the default one.
    #[must_use]
    pub fn marathon(&self, name: Option<&str>) -> Option<&MarathonConnection> {
        self.marathon.iter().find(|c| c.name.as_deref() == name)
    }

    /// The Mesos with this name; without a name the default one.
    #[must_use]
    pub fn mesos(&self, name: Option<&str>) -> Option<&MesosConnection> {
        self.mesos.iter().find(|c| c.name.as_deref() == name)
    }
}
