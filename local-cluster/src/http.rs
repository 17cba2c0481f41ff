//! One request to the own cluster, for programs that have no runtime.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long the cluster may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The JSON at `path` of the cluster at `http://HOST:PORT`.
pub(crate) fn get(base: &str, path: &str) -> io::Result<Value> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "that is no answer of a cluster");
    let host = base.strip_prefix("http://").ok_or_else(wrong)?;
    let address: SocketAddr = host.parse().map_err(|_| wrong())?;
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    // HTTP/1.0: the answer is not chunked and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(64 << 20).read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(wrong)?;
    if answer.split(|byte| *byte == b' ').nth(1) != Some(b"200") {
        return Err(wrong());
    }
    serde_json::from_slice(&answer[end + 4..]).map_err(|_| wrong())
}
