//! `connect docker(registry, …)`

use std::sync::OnceLock;

use pipe_grammar::Code;

use super::Connector;
use crate::core::{Arguments, Connections, DockerConnection, Failure, Secret, Value};

pub(super) static CONNECTOR: Connector = Connector {
    name: "docker",
    declaration: "
    # The credentials of a registry, and where the Docker Engine listens.
    #
    # Several may stand side by side: a reference is sent to the one with its host.
    (
      # The registry's host: `docker.io`, `registry.example.com:5000`.
      registry: string?,
      # Who logs in.
      username: string?,
      # With what; a secret.
      password: hidden?,
      # `unix://…`, `tcp://…`: where the Docker Engine listens; once a file.
      engine: string?,
      # Plain HTTP, or a certificate that nobody signed.
      insecure: bool = false,
    )
    ",
    example: r#"connect docker("docker.io", username: "ci", password: hub_password)"#,
    takes_alias: false,
    add,
    signature: OnceLock::new(),
};

fn add(connections: &mut Connections, _: Option<&str>, a: &Arguments) -> Result<(), Failure> {
    if let Some(engine) = a.get::<Option<String>>("engine")? {
        if connections.engine.is_some() {
            return Err(Failure::new(Code::DUPLICATE_NAME, "two connections name a Docker Engine")
                .at_argument("engine")
                .label("the second one")
                .help("keep one `engine:`; all docker built-ins use it"));
        }
        connections.engine = Some(engine);
    }
    let Some(registry) = a.get::<Option<String>>("registry")? else { return Ok(()) };
    let registry = host(&registry);
    if connections.registry(&registry).is_some() {
        let what = format!("two connections name the registry `{registry}`");
        return Err(Failure::new(Code::DUPLICATE_NAME, what).at_argument("registry"));
    }
    connections.docker.push(DockerConnection {
        registry,
        username: a.get("username")?,
        password: hidden(a.value("password")),
        insecure: a.get("insecure")?,
    });
    Ok(())
}

/// The host of what people write: `https://index.docker.io/v1/` is `docker.io`.
fn host(written: &str) -> String {
    let plain = written.split_once("://").map_or(written, |(_, rest)| rest);
    let plain = plain.split('/').next().unwrap_or(plain);
    match plain {
        "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => "docker.io".to_owned(),
        other => other.to_owned(),
    }
}

pub(super) fn hidden(value: &Value) -> Option<Secret> {
    match value {
        Value::Secret(secret) => Some(secret.clone()),
        Value::String(text) => Some(Secret::new(text.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_in_what_people_write() {
        assert_eq!(host("https://index.docker.io/v1/"), "docker.io");
        assert_eq!(host("registry.example.com:5000"), "registry.example.com:5000");
    }
}
