//! Sends traces to a collector: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::{path::PathBuf, time::Duration};

use pipe_stdlib::{client::transport, core::World};
use reqwest::{
    Client, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde_json::Value as Json;

use super::otlp::pairs;

/// How long the end of a run waits for the collector, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says so.
const PATIENCE: Duration = Duration::from_secs(3);
/// And at most, whatever it says.
const MOST_PATIENCE: Duration = Duration::from_secs(10);
/// The first pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(200);

/// Where to, and how.
struct Collector {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// Sends requests one after the other, for a bounded time altogether.
///
/// # Errors
///
/// One line for people.
pub(super) async fn send(world: &World, bodies: &[Json]) -> Result<(), String> {
    let url = url(world)?;
    let shown = shown(&url);
    let failed = |why: String| format!("the traces of this run were not sent to `{shown}`: {why}");
    let patience = patience(world);
    let sending = async {
        let collector = Collector::new(world, url.clone()).await?;
        for body in bodies {
            collector.send(body).await?;
        }
        Ok(())
    };
    match tokio::time::timeout(patience, sending).await {
        Ok(sent) => sent.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", patience.as_secs_f64()))),
    }
}

/// A variable for traces, else the one for everything.
fn variable<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    [format!("OTEL_EXPORTER_OTLP_TRACES_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")]
        .iter()
        .filter_map(|name| world.variable(name))
        .map(str::trim)
        .find(|value| !value.is_empty())
}

fn url(world: &World) -> Result<Url, String> {
    let own = world.variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").unwrap_or("").trim();
    let text = if own.is_empty() {
        let base = world.variable("OTEL_EXPORTER_OTLP_ENDPOINT").unwrap_or("").trim();
        format!("{}/v1/traces", base.trim_end_matches('/'))
    } else {
        own.to_owned()
    };
    let url = Url::parse(&text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        "the traces of this run were not sent: `OTEL_EXPORTER_OTLP_ENDPOINT` is no `http://` or \
         `https://` URL"
            .to_owned()
    })
}

/// A URL without what may be secret in it.
fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or(""), url.path())
}

fn patience(world: &World) -> Duration {
    let millis = variable(world, "TIMEOUT").and_then(|text| text.parse().ok());
    millis.map_or(PATIENCE, Duration::from_millis).min(MOST_PATIENCE)
}

impl Collector {
    async fn new(world: &World, url: Url) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs(variable(world, "HEADERS").unwrap_or("")) {
            let header = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(value).ok());
            let Some((key, mut value)) = header else {
                return Err(format!(
                    "no header can be called `{name}`, or it can't hold its value"
                ));
            };
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let ca = variable(world, "CERTIFICATE").map(PathBuf::from);
        // The headers are for this server only.
        let builder = || Client::builder().redirect(redirect::Policy::none());
        let client = transport::build(url.scheme() == "https", ca.as_deref(), builder).await;
        let client = client.map_err(|why| of_variables(&why))?;
        Ok(Self { client, url, headers })
    }

    /// Sends a request, again while the collector says that it can't now.
    async fn send(&self, body: &Json) -> Result<(), String> {
        let mut pause = PAUSE;
        loop {
            let request = self.client.post(self.url.clone()).headers(self.headers.clone());
            let answer = request.json(body).send().await.map_err(|error| self.explain(&error))?;
            let status = answer.status();
            if status.is_success() {
                let answer: Json = answer.json().await.unwrap_or_default();
                return refused(&answer);
            }
            let later = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            if !later {
                return Err(format!("it answered {status}"));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    fn explain(&self, error: &reqwest::Error) -> String {
        let why = of_variables(&transport::explain(error));
        // The port of the other protocol.
        if self.url.port() == Some(4317) {
            return format!("{why}; OTLP over HTTP is wanted, mostly at port 4318");
        }
        why
    }
}

/// What a connection says of its arguments, said of variables.
fn of_variables(why: &str) -> String {
    why.replace("with `ca:`", "in `OTEL_EXPORTER_OTLP_CERTIFICATE`")
}

/// Whether the collector took some spans only.
fn refused(answer: &Json) -> Result<(), String> {
    let partial = &answer["partialSuccess"];
    let count = match &partial["rejectedSpans"] {
        Json::String(count) => count.parse().unwrap_or(0),
        count => count.as_u64().unwrap_or(0),
    };
    if count == 0 {
        return Ok(());
    }
    let why: String = partial["errorMessage"].as_str().unwrap_or("").chars().take(200).collect();
    let why: String = why.chars().filter(|c| !c.is_control()).collect();
    let count = pipe_grammar::diagnostic::count("span", usize::try_from(count).unwrap_or(0));
    Err(format!("it refused {count}: {why}"))
}
