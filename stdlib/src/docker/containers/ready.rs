//! When a service is ready to be used.

use std::time::Duration;

use futures_util::StreamExt;
use pipe_grammar::Code;
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{
    client::engine::{Engine, Health, Manner, NewExec, Seen},
    core::Failure,
};

/// A check that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// A proxy before a port that nobody listens on takes the connection, and ends it at once.
const SETTLED: Duration = Duration::from_millis(150);

/// How an engine says that it can't start the shell.
const NO_SHELL: &str = "exec: \"sh\": executable file not found";

/// What tells that a service is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::docker) enum Check {
    /// A command in the container ends with 0.
    Command(String),
    /// A port answers a request with a status below 400.
    Http {
        /// The port in the container.
        port: u16,
        /// `/health`.
        path: String,
    },
    /// The health check of its image.
    Health,
    /// Somebody listens on its port.
    Port(u16),
}

impl Check {
    /// Reads `ready:`; without it, it is the image's health check, else the port.
    pub(in crate::docker) fn read(
        written: Option<&str>,
        manner: &Manner,
        port: u16,
    ) -> Result<Self, Failure> {
        let Some(written) = written else {
            return Ok(if manner.is_checked { Self::Health } else { Self::Port(port) });
        };
        let Some(rest) = written.strip_prefix("http://") else {
            return Ok(Self::Command(written.to_owned()));
        };
        let (at, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = format!("/{path}");
        let number = at.strip_prefix(':').and_then(|number| number.parse().ok());
        match (number, at) {
            (Some(port), _) => Ok(Self::Http { port, path }),
            (None, "") => Ok(Self::Http { port, path }),
            (None, _) => {
                let what = format!("`{written}` names another place than the service");
                Err(Failure::new(Code::EVALUATION, what)
                    .at_argument("ready")
                    .help(format!("write `http://:{port}{path}`")))
            }
        }
    }

    /// The ports that must be reachable from here for it.
    pub(in crate::docker) fn port(&self) -> Option<u16> {
        match self {
            Self::Http { port, .. } | Self::Port(port) => Some(*port),
            Self::Command(_) | Self::Health => None,
        }
    }

    /// In words, for a message: `it is not ready: …`.
    pub(in crate::docker) fn shown(&self) -> String {
        match self {
            Self::Command(command) => format!("`{command}` ends with 0"),
            Self::Http { port, path } => format!("`http://:{port}{path}` answers"),
            Self::Health => "the health check of its image succeeds".to_owned(),
            Self::Port(port) => format!("something listens on its port {port}"),
        }
    }
}

/// What is asked, and where.
pub(in crate::docker) struct Probe<'a> {
    pub(in crate::docker) engine: &'a Engine,
    pub(in crate::docker) container: &'a str,
    pub(in crate::docker) check: &'a Check,
    /// The address of the engine's machine.
    pub(in crate::docker) host: &'a str,
}

impl Probe<'_> {
    /// Asks once. Why it is not ready: what the check saw, one line each; nothing when it is.
    pub(in crate::docker) async fn ask(&self, seen: &Seen) -> Result<Option<Vec<String>>, Failure> {
        let published = |port: &u16| {
            seen.ports.iter().find(|(inside, _)| inside == port).map(|(_, outside)| *outside)
        };
        let asked = async {
            match self.check {
                Check::Command(command) => self.command(command).await,
                Check::Health => Ok(match seen.health {
                    Some(Health::Healthy) => None,
                    _ => Some(seen.health_said.lines().map(str::to_owned).collect()),
                }),
                Check::Port(port) => Ok(match published(port) {
                    Some(outside) => self.port(outside).await,
                    None => Some(Vec::new()),
                }),
                Check::Http { port, path } => Ok(match published(port) {
                    Some(outside) => self.http(outside, path).await,
                    None => Some(Vec::new()),
                }),
            }
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => Ok(Some(vec!["it did not answer in 10 seconds".to_owned()])),
        }
    }

    async fn command(&self, command: &str) -> Result<Option<Vec<String>>, Failure> {
        let words = ["sh", "-c", command].map(str::to_owned).to_vec();
        let new = NewExec { command: words, ..NewExec::default() };
        let (id, attached) = match self.engine.exec(self.container, new).await? {
            Ok(started) => started,
            // It ends at this moment: whoever asks looks.
            Err(refusal) if refusal.status == 409 => return Ok(Some(Vec::new())),
            Err(refusal) if refusal.says(&[NO_SHELL]) => return Err(no_shell()),
            Err(refusal) => return Ok(Some(vec![refusal.text])),
        };
        let mut said = Vec::new();
        let mut output = attached.output;
        while let Some(Ok((_, chunk))) = output.next().await {
            said.extend_from_slice(&chunk);
            said.truncate(4096);
        }
        let status = match self.engine.exec_status(&id).await? {
            Ok(status) => status.unwrap_or(-1),
            Err(_) => -1,
        };
        if status == 0 {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&said);
        let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
        if lines.iter().any(|line| line.contains(NO_SHELL)) {
            return Err(no_shell());
        }
        lines.push(format!("it ended with status {status}"));
        Ok(Some(lines))
    }

    async fn port(&self, outside: u16) -> Option<Vec<String>> {
        let mut stream = match TcpStream::connect((self.host, outside)).await {
            Ok(stream) => stream,
            Err(error) => return Some(vec![pipe_oci::plain(&error)]),
        };
        let mut first = [0];
        match tokio::time::timeout(SETTLED, stream.read(&mut first)).await {
            // It waits for us to begin, or it greets.
            Err(_) | Ok(Ok(1..)) => None,
            Ok(Ok(0)) => Some(vec!["nothing listens there".to_owned()]),
            Ok(Err(error)) => Some(vec![pipe_oci::plain(&error)]),
        }
    }

    async fn http(&self, outside: u16, path: &str) -> Option<Vec<String>> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        let url = format!("http://{host}:{outside}{path}");
        let answer = match client {
            Ok(client) => client.get(url).send().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) if answer.status().as_u16() < 400 => None,
            Ok(answer) => Some(vec![format!("it answered {}", answer.status())]),
            Err(error) => Some(vec![crate::client::http::why(&error)]),
        }
    }
}

fn no_shell() -> Failure {
    let what = "the image has no shell (`sh`) to run the command of `ready:`";
    Failure::new(Code::CONTAINER_FAILED, what)
        .at_argument("ready")
        .help("ask a port instead: `ready: \"http://:PORT/path\"`, or leave it out")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_form_of_ready_is_read() {
        let plain = Manner::default();
        let checked = Manner { is_checked: true, ..Manner::default() };
        let http = |port, path: &str| Check::Http { port, path: path.to_owned() };
        let read = |text| Check::read(text, &plain, 80).unwrap();
        assert_eq!(read(None), Check::Port(80));
        assert_eq!(Check::read(None, &checked, 80).unwrap(), Check::Health);
        assert_eq!(read(Some("http://:8080/a/b")), http(8080, "/a/b"));
        assert_eq!(read(Some("http://:8080")), http(8080, "/"));
        assert_eq!(read(Some("http:///ok")), http(80, "/ok"));
        assert_eq!(read(Some("pg_isready")), Check::Command("pg_isready".into()));
        let failure = Check::read(Some("http://db:5432/x"), &plain, 80).unwrap_err();
        assert_eq!(failure.message, "`http://db:5432/x` names another place than the service");
        assert_eq!(failure.help, ["write `http://:80/x`"]);
    }
}
