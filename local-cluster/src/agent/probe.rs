//! Asking a task whether it is well.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::TaskHandle;

/// How to ask.
pub(crate) struct Probe(Kind);

enum Kind {
    Http { port: Option<u16>, path: String },
    Tcp { port: Option<u16>, forwarded: bool },
    Command { task: TaskHandle, command: String },
}

/// What was answered.
pub(crate) enum Answer {
    /// An HTTP answer.
    Http { status: u16, reason: String, content_type: Option<String>, body: String },
    /// The port is open, or the command succeeded.
    Open,
}

/// As much of an answer is read.
const LONGEST: u64 = 64 << 10;

impl Answer {
    /// Whether it means that the task is well: 200 to 399.
    pub(crate) fn verdict(self) -> Result<(), String> {
        match self {
            Self::Http { status: 200..=399, .. } | Self::Open => Ok(()),
            Self::Http { status, reason, .. } => {
                Err(format!("{status} {reason}").trim_end().to_owned())
            }
        }
    }
}

impl Probe {
    /// By an HTTP GET of a host port.
    pub(crate) fn http(port: Option<u16>, path: &str) -> Self {
        let slash = if path.starts_with('/') { "" } else { "/" };
        // What could break out of the line can't be in a path.
        let path = path.replace(|letter: char| letter.is_ascii_control() || letter == ' ', "%20");
        Self(Kind::Http { port, path: format!("{slash}{path}") })
    }

    /// By a connection to a host port; `forwarded` ones are taken by the forwarder first, which
    /// hangs up where nobody listens behind it.
    pub(crate) fn tcp(port: Option<u16>, forwarded: bool) -> Self {
        Self(Kind::Tcp { port, forwarded })
    }

    /// By a command beside the app.
    pub(crate) fn command(task: TaskHandle, command: &str) -> Self {
        Self(Kind::Command { task, command: command.to_owned() })
    }

    /// Asks, and waits for an answer no longer than `limit`.
    pub(crate) async fn ask(&self, limit: Duration) -> Result<Answer, String> {
        let late = || format!("Request timed out after {} ms", limit.as_millis());
        match &self.0 {
            Kind::Http { port, path } => {
                let port = port.ok_or("the port is not open on the host")?;
                let answer = timeout(limit, get(port, path)).await.map_err(|_| late())?;
                answer.map_err(|error| cause(&error, port))
            }
            Kind::Tcp { port, forwarded } => {
                let port = port.ok_or("the port is not open on the host")?;
                let open = timeout(limit, connect(port, *forwarded)).await.map_err(|_| late())?;
                open.map(|()| Answer::Open).map_err(|error| cause(&error, port))
            }
            Kind::Command { task, command } => {
                let exit = task.run(command, limit).await.ok_or_else(late)?;
                match exit.status() {
                    0 => Ok(Answer::Open),
                    _ => Err(format!("Command {}", exit.words())),
                }
            }
        }
    }
}

fn cause(error: &io::Error, port: u16) -> String {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused",
        io::ErrorKind::ConnectionReset => "Connection reset by peer",
        io::ErrorKind::UnexpectedEof => "The connection was closed without an answer",
        _ => return format!("{} (127.0.0.1:{port})", pipe_oci::plain(error)),
    };
    format!("{text} (127.0.0.1:{port})")
}

async fn connect(port: u16, forwarded: bool) -> io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    if forwarded {
        let mut byte = [0];
        if let Ok(read) = timeout(Duration::from_millis(200), stream.read(&mut byte)).await {
            read?;
        }
    }
    Ok(())
}

async fn get(port: u16, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: marathon\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let read = (&mut stream).take(LONGEST).read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let mut status = lines.next().unwrap_or_default().splitn(3, ' ');
    let code = status.nth(1).and_then(|code| code.parse().ok());
    let Some(code) = code else {
        read?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let content_type = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.trim().to_owned());
    let reason = status.next().unwrap_or_default().to_owned();
    Ok(Answer::Http { status: code, reason, content_type, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn ask(answer: &'static str) -> Result<(), String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /health HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        Probe::http(Some(port), "health").ask(Duration::from_secs(5)).await?.verdict()
    }

    #[tokio::test]
    async fn statuses_decide() {
        assert_eq!(ask("HTTP/1.1 204 No Content\r\n\r\n").await, Ok(()));
        assert_eq!(ask("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n").await, Ok(()));
        let cause = ask("HTTP/1.1 500 Internal Server Error\r\n\r\nx").await;
        assert_eq!(cause, Err("500 Internal Server Error".to_owned()));
        assert!(ask("").await.unwrap_err().starts_with("The connection was closed"));
    }

    #[tokio::test]
    async fn what_does_not_answer_is_not_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let limit = Duration::from_millis(50);
        let late = Probe::http(Some(port), "/").ask(limit).await.err().unwrap();
        assert_eq!(late, "Request timed out after 50 ms");
        assert!(Probe::tcp(Some(port), false).ask(limit).await.is_ok());
        drop(listener);
        let refused = Probe::tcp(Some(port), false).ask(limit).await.err().unwrap();
        assert!(refused.starts_with("Connection refused (127.0.0.1:"), "{refused}");
    }
}
