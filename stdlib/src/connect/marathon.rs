//! `connect marathon(url, …)`

use std::sync::OnceLock;

use pipe_grammar::Code;

use super::{Connector, docker::hidden};
use crate::core::{Arguments, Connections, Failure, MarathonConnection};

pub(super) static CONNECTOR: Connector = Connector {
    name: "marathon",
    declaration: "
    # A Marathon, or a DC/OS service URL.
    (
      # `https://marathon.example.com`, `https://dcos.example.com/service/marathon`.
      url: string,
      # A DC/OS token; a secret.
      token: hidden?,
      # Who logs in, for HTTP basic authentication.
      username: string?,
      # With what; a secret.
      password: hidden?,
      # A file with further root certificates, PEM.
      ca: path?,
    )
    ",
    example: r#"connect marathon("https://marathon.example.com", token: marathon_token)"#,
    takes_alias: true,
    add,
    signature: OnceLock::new(),
};

fn add(connections: &mut Connections, name: Option<&str>, a: &Arguments) -> Result<(), Failure> {
    let written: String = a.get("url")?;
    let url = written.trim_end_matches('/').to_owned();
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Failure::new(
            Code::NO_CONNECTION,
            format!("`{written}` is no URL of a Marathon"),
        )
        .at_argument("url")
        .help(format!("write `https://{written}`")));
    }
    connections.marathon.push(MarathonConnection {
        name: name.map(str::to_owned),
        url,
        token: hidden(a.value("token")),
        username: a.get("username")?,
        password: hidden(a.value("password")),
        ca: a.get::<Option<String>>("ca")?.map(Into::into),
        local: false,
    });
    Ok(())
}
