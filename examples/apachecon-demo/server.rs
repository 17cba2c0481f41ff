//! Serves a folder over HTTP: the whole web server of the demo, without any dependency.
//!
//! `server FOLDER` listens on `$LISTEN` (8080 where that is not set). `/healthz` answers `ok`.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

fn main() -> ExitCode {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    // In a container on a bridge network the server has a network of its own, and `$PORT` is the
    // host's port: the image says which one it means.
    let port = env::var("LISTEN").unwrap_or_else(|_| "8080".to_owned());
    let listener = match TcpListener::bind(format!("0.0.0.0:{port}")) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("can't listen on port {port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("serving {} on port {port}", folder.display());
    for stream in listener.incoming().flatten() {
        let folder = folder.clone();
        thread::spawn(move || {
            // A client that goes away is no matter of ours.
            let _ = answer(stream, &folder);
        });
    }
    ExitCode::SUCCESS
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    // The headers say nothing that matters here, but must be read before the answer.
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let path = request.split_whitespace().nth(1).unwrap_or("/");
    let (status, kind, body) = find(path, folder);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if !request.starts_with("HEAD ") {
        stream.write_all(&body)?;
    }
    stream.flush()
}

fn find(path: &str, folder: &Path) -> (&'static str, &'static str, Vec<u8>) {
    let path = path.split(['?', '#']).next().unwrap_or("/");
    if path == "/healthz" {
        return ("200 OK", "text/plain", b"ok\n".to_vec());
    }
    let relative = Path::new(path.trim_start_matches('/'));
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let mut file = folder.join(relative);
    if file.is_dir() {
        file.push("index.html");
    }
    match fs::read(&file) {
        Ok(body) if inside => ("200 OK", kind(&file), body),
        _ => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
    }
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|name| name.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
