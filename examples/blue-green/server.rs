//! A shop that sells one thing: its version.

use std::{
    env,
    io::{BufRead, BufReader, Result, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

fn main() -> Result<()> {
    let version = env::var("VERSION").unwrap_or_else(|_| "unknown".to_owned());
    let listener = TcpListener::bind("0.0.0.0:8080")?;
    println!("version {version} serves");
    for stream in listener.incoming().flatten() {
        let version = version.clone();
        thread::spawn(move || answer(stream, &version));
    }
    Ok(())
}

fn answer(mut stream: TcpStream, version: &str) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    // The headers say nothing that matters here, but must be read before the answer.
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let body = match request.split_whitespace().nth(1) {
        Some("/healthz") => "ok\n".to_owned(),
        _ => {
            // Work that a deployment must not cut off.
            thread::sleep(Duration::from_millis(100));
            format!("version {version}\n")
        }
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
