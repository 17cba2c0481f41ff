//! As whom a registry is asked.

use std::{fs::File, io::BufReader, path::PathBuf, time::Duration};

use docker_credential::{CredentialRetrievalError, DockerCredential};
use pipe_grammar::Code;

use crate::core::{Connections, Failure, Secret, World};

/// A credential helper that takes longer has hung itself up, or waits for a person.
const HELPER: Duration = Duration::from_secs(30);

/// What a registry is told about who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A name and a password.
    Password {
        /// The name.
        username: String,
        /// The password, or a token in its place.
        password: Secret,
        /// Who says so.
        source: Source,
    },
    /// A refresh token, which `docker login` leaves in place of a password.
    Token {
        /// The token.
        token: Secret,
        /// Who says so.
        source: Source,
    },
}

/// Where credentials come from; it decides what to do when they are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A `connect docker(…)` of the Pipelinefile.
    Connect,
    /// Docker's configuration, or a helper that it names.
    DockerConfig(PathBuf),
}

impl Credentials {
    /// Who logs in, where that is a name.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Password { username, .. } => Some(username),
            _ => None,
        }
    }

    /// Where they come from.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        match self {
            Self::Anonymous => None,
            Self::Password { source, .. } | Self::Token { source, .. } => Some(source),
        }
    }
}

/// The credentials for a host: those of its `connect docker(…)`, else Docker's configuration
/// (`DOCKER_CONFIG`, `~/.docker`) with its helpers, else none. With `--local` only the first, so
/// that no secret is needed for it.
///
/// # Errors
///
/// When Docker's configuration can't be read, or its helper fails.
pub async fn find(
    host: &str,
    world: &World,
    connections: &Connections,
) -> Result<Credentials, Failure> {
    if connections.local.as_ref().is_some_and(|local| local.registry == host) {
        return Ok(Credentials::Anonymous);
    }
    if let Some(connection) = connections.registry(host)
        && let Some(username) = &connection.username
    {
        return Ok(Credentials::Password {
            username: username.clone(),
            password: connection.password.clone().unwrap_or_else(|| Secret::new("")),
            source: Source::Connect,
        });
    }
    let folder = world.variable("DOCKER_CONFIG").filter(|folder| !folder.is_empty());
    let folder = folder.map(PathBuf::from).or_else(|| Some(world.home()?.join(".docker")));
    let Some(path) = folder.map(|folder| folder.join("config.json")) else {
        return Ok(Credentials::Anonymous);
    };
    let (host, shown) = (host.to_owned(), world.display(&path));
    let read = tokio::task::spawn_blocking(move || read(&host, path));
    match tokio::time::timeout(HELPER, read).await {
        Ok(Ok(found)) => found.map_err(|why| unusable(&shown, &why)),
        Ok(Err(_)) => Err(Failure::internal("reading Docker's configuration broke off")),
        Err(_) => Err(unusable(&shown, "its credential helper does not answer")),
    }
}

/// The names under which `docker login` keeps the credentials of a host.
fn keys(host: &str) -> Vec<String> {
    if host == "docker.io" {
        return vec!["https://index.docker.io/v1/".into(), "docker.io".into()];
    }
    vec![host.into(), format!("https://{host}"), format!("http://{host}")]
}

fn read(host: &str, path: PathBuf) -> Result<Credentials, String> {
    for key in keys(host) {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
            Err(e) => return Err(pipe_oci::plain(&e)),
        };
        let source = || Source::DockerConfig(path.clone());
        match docker_credential::get_credential_from_reader(BufReader::new(file), &key) {
            // Some tools leave an empty entry behind after a logout.
            Ok(DockerCredential::UsernamePassword(username, _)) if username.is_empty() => {}
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                let password = Secret::new(password);
                return Ok(Credentials::Password { username, password, source: source() });
            }
            Ok(DockerCredential::IdentityToken(token)) => {
                return Ok(Credentials::Token { token: Secret::new(token), source: source() });
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => {}
            // How helpers say that they know no such host.
            Err(CredentialRetrievalError::HelperFailure { stdout, stderr, .. })
                if format!("{stdout}{stderr}").contains("not found") => {}
            Err(error) => return Err(words(&error)),
        }
    }
    Ok(Credentials::Anonymous)
}

fn words(error: &CredentialRetrievalError) -> String {
    match error {
        CredentialRetrievalError::HelperCommunicationError => {
            "its credential helper can't be started".into()
        }
        CredentialRetrievalError::MalformedHelperResponse => {
            "its credential helper gives no valid answer".into()
        }
        CredentialRetrievalError::HelperFailure { helper, .. } => format!("`{helper}` failed"),
        CredentialRetrievalError::CredentialDecodingError
        | CredentialRetrievalError::CredentialMismatchError => {
            "its entry for this registry is damaged".into()
        }
        _ => "it is not valid JSON".into(),
    }
}

fn unusable(path: &str, why: &str) -> Failure {
    Failure::new(Code::BAD_FILE, format!("`{path}` gives no credentials: {why}"))
        .help("repair it, or name the credentials in the Pipelinefile with `connect docker(…)`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::{DockerConnection, LocalCluster};

    fn world(config: Option<&str>) -> (tempfile::TempDir, World) {
        let home = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            std::fs::create_dir(home.path().join(".docker")).unwrap();
            std::fs::write(home.path().join(".docker/config.json"), config).unwrap();
        }
        let root = home.path().to_owned();
        let environment = [("HOME".to_owned(), root.display().to_string())].into();
        let world = World::new(root.clone(), root, environment);
        (home, world)
    }

    const CONFIG: &str = r#"{"auths": {
        "https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldA=="},
        "r.example.com": {"auth": "YTpiOmM="}, "t.example.com": {"identitytoken": "tok"},
        "old.example.com": {}, "bad.example.com": {"auth": "%"}}}"#;

    #[tokio::test]
    async fn a_connection_goes_before_dockers_configuration() {
        let (_home, world) = world(Some(CONFIG));
        let mut connections = Connections::default();
        let found = find("r.example.com", &world, &connections).await.unwrap();
        assert_eq!(found.username(), Some("a"));
        assert!(
            matches!(&found, Credentials::Password { password, .. } if password.reveal() == "b:c")
        );
        connections.docker.push(DockerConnection {
            registry: "r.example.com".into(),
            username: Some("ssk2".into()),
            password: Some(Secret::new("x")),
            insecure: false,
        });
        let found = find("r.example.com", &world, &connections).await.unwrap();
        assert_eq!((found.username(), found.source()), (Some("ssk2"), Some(&Source::Connect)));
    }

    #[tokio::test]
    async fn each_entry_of_dockers_configuration_is_understood() {
        let (_home, world) = world(Some(CONFIG));
        let ask = async |host| find(host, &world, &Connections::default()).await;
        assert_eq!(ask("docker.io").await.unwrap().username(), Some("hub"));
        assert!(matches!(ask("t.example.com").await.unwrap(), Credentials::Token { .. }));
        assert_eq!(ask("old.example.com").await.unwrap(), Credentials::Anonymous);
        assert_eq!(ask("none.example.com").await.unwrap(), Credentials::Anonymous);
        let failure = ask("bad.example.com").await.unwrap_err();
        assert_eq!(
            failure.message,
            "`.docker/config.json` gives no credentials: its entry for this registry is damaged"
        );
    }

    #[tokio::test]
    async fn without_a_configuration_nobody_logs_in() {
        let (_home, plain) = world(None);
        let found = find("docker.io", &plain, &Connections::default()).await.unwrap();
        assert_eq!(found, Credentials::Anonymous);
        let (_home, broken) = world(Some("{"));
        let failure = find("docker.io", &broken, &Connections::default()).await.unwrap_err();
        assert!(failure.message.ends_with("it is not valid JSON"), "{}", failure.message);
        // The local cluster asks for nobody's secret.
        let local = LocalCluster { marathon: String::new(), registry: "127.0.0.1:1".into() };
        let connections = Connections { local: Some(local), ..Connections::default() };
        let found = find("127.0.0.1:1", &broken, &connections).await.unwrap();
        assert_eq!(found, Credentials::Anonymous);
    }
}
