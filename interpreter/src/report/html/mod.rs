//! A run as one page for the browser, without network: what failed first, stages and steps on their
//! time, logs, tests, images, deployments. What is told in words stands in the page as HTML, so that
//! it can be read where no script may run, as in Jenkins; the script adds time lines and logs.

mod data;
mod escape;
mod facts;
mod head;
mod logs;
mod outside;

use std::{
    io::{self, Write},
    path::Path,
};

use pipe_stdlib::client::base64;
use sha2::{Digest, Sha256};

use super::trail::Trail;
use escape::{escaped, json};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page. `folder` is the folder of the run, `graph` its stages as SVG, if they are known.
///
/// # Errors
///
/// When it can't be written.
pub fn html(
    trail: &Trail,
    folder: &Path,
    graph: Option<&str>,
    out: &mut impl Write,
) -> io::Result<()> {
    let logs = logs::of(trail, folder);
    let title = format!("{} · {}", trail.summary.pipeline, trail.summary.run);
    // Nothing but our own script may run, whatever stands in a log; nothing is fetched.
    let sum = base64::encode(&Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{sum}'; style-src 'unsafe-inline'; \
         img-src data:; base-uri 'none'; form-action 'none'"
    );
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        escaped(&title)
    )?;
    out.write_all(head::head(trail).as_bytes())?;
    out.write_all(head::stages(trail).as_bytes())?;
    if let Some(graph) = graph {
        writeln!(out, "<section id=\"graph\">\n<h2>Graph</h2>\n<div>{graph}</div>\n</section>")?;
    }
    out.write_all(facts::tests(trail).as_bytes())?;
    out.write_all(outside::outside(trail).as_bytes())?;
    out.write_all(outside::artifacts(folder).as_bytes())?;
    out.write_all(facts::facts(trail).as_bytes())?;
    writeln!(out, "</main>")?;
    let data = json(&data::data(trail, &logs));
    writeln!(out, "<script type=\"application/json\" id=\"run\">{data}</script>")?;
    for (stage, log) in logs.iter().enumerate() {
        for (number, chunk) in log.iter().flat_map(|log| &log.chunks).enumerate() {
            let text = &chunk.text;
            writeln!(
                out,
                "<script type=\"text/plain\" id=\"log-{stage}-{number}\">{text}</script>"
            )?;
        }
    }
    writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
}
