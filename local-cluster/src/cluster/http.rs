//! One question to the cluster's Marathon, without a runtime.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// The cluster is on this machine and answers at once, or it is not well.
const LIMIT: Duration = Duration::from_secs(5);

/// `GET path` of `http://HOST:PORT`: the body of an answer with status 200.
pub(super) fn get(base: &str, path: &str) -> io::Result<Vec<u8>> {
    let address = base.trim_start_matches("http://");
    let socket = address.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut stream = TcpStream::connect_timeout(&socket, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let end = end.ok_or_else(invalid)?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| invalid())?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(invalid());
    }
    Ok(answer.split_off(end + 4))
}
