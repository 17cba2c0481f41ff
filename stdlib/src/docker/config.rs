//! `docker.config`: the credentials of the connections, for tools that log in themselves.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use pipe_grammar::Code;
use serde_json::{Map, json};

use crate::{
    client::base64,
    core::{
        Arguments, Call, DockerConnection, Failure, Held, HeldType, Holding, Running, Value,
        builtin,
    },
};

builtin! {
    held docker.config, config;
    "
    # The credentials of the connections, for tools that log in themselves.
    #
    # As long as its block runs, `DOCKER_CONFIG` names a private folder with them for its commands:
    # `docker`, `skopeo`, `helm` and others find their logins in it. It is removed when the block
    # ends. Only connections whose password is there are in it.
    (
      # Hosts of the connections; without it, all.
      registries: texts = [],
    ) -> Login
    "
    examples: [
        r#"docker.config()"#,
        r#"docker.config("registry.example.com")"#,
    ]
}

/// What it answers.
pub(super) static TYPE: HeldType =
    HeldType { name: "Login", fields: "{ path: path }", methods: &[] };

struct Login {
    folder: PathBuf,
}

async fn config(call: Call<'_>, a: Arguments) -> Result<Arc<dyn Held>, Failure> {
    let wanted: Vec<String> = a.get("registries")?;
    let mut chosen: Vec<&DockerConnection> = Vec::new();
    for host in &wanted {
        match call.connections.registry(host) {
            Some(connection) => chosen.push(connection),
            None => {
                let what = format!("no `connect docker(\"{host}\", …)` stands in this file");
                return Err(Failure::new(Code::NO_CONNECTION, what).at_argument("registries"));
            }
        }
    }
    if wanted.is_empty() {
        chosen.extend(&call.connections.docker);
    }
    let folder = folder(call.run_folder);
    let login = Login { folder };
    write(&login.folder, &text(&chosen)).map_err(|error| {
        let (shown, why) = (call.world.display(&login.folder), pipe_oci::plain(&error));
        let what = format!("the credentials can't be written to `{shown}`: {why}");
        Failure::infrastructure(Code::UNWRITABLE_FILE, what)
    })?;
    Ok(Arc::new(login))
}

/// A folder of the run, which containers of the stage see too.
fn folder(run: &Path) -> PathBuf {
    let numbers = 1_u32..;
    let mut names = numbers.map(|number| run.join(format!("docker-{number}")));
    names.find(|folder| !folder.exists()).unwrap_or_else(|| run.join("docker"))
}

/// Docker's `config.json` (`docker login`): `user:password` in Base64 by host.
fn text(connections: &[&DockerConnection]) -> String {
    let mut auths = Map::new();
    for connection in connections {
        let (Some(username), Some(password)) = (&connection.username, &connection.password) else {
            continue;
        };
        let host = match connection.registry.as_str() {
            "docker.io" => "https://index.docker.io/v1/",
            host => host,
        };
        let auth = base64::encode(format!("{username}:{}", password.reveal()).as_bytes());
        auths.insert(host.to_owned(), json!({ "auth": auth }));
    }
    json!({ "auths": auths }).to_string()
}

fn write(folder: &Path, text: &str) -> std::io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(folder)?;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(folder.join("config.json"))?;
    file.write_all(text.as_bytes())
}

impl Login {
    fn remove(&self) -> std::io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        // Whoever undoes it hears when that fails.
        let _ = self.remove();
    }
}

impl Held for Login {
    fn fields(&self) -> Value {
        Value::record([("path", Value::Path(self.folder.display().to_string().into()))])
    }

    fn environment(&self) -> Vec<(String, String)> {
        vec![("DOCKER_CONFIG".to_owned(), self.folder.display().to_string())]
    }

    fn call<'a>(&'a self, _: Call<'a>, method: &'a str, _: Arguments) -> Running<'a> {
        Box::pin(async move { Err(Failure::internal(format_args!("a login has no `{method}`"))) })
    }

    fn undo<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()> {
        Box::pin(async move {
            self.remove().map_err(|error| {
                let (shown, why) = (call.world.display(&self.folder), pipe_oci::plain(&error));
                let what = format!("the credentials in `{shown}` can't be removed: {why}");
                Failure::infrastructure(Code::UNWRITABLE_FILE, what)
            })
        })
    }
}
