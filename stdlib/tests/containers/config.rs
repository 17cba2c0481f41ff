//! Credentials for tools that log in themselves.

use std::os::unix::fs::PermissionsExt;

use pipe_grammar::Code;
use pipe_stdlib::core::{DockerConnection, Secret};

use crate::call::Run;

fn connection(registry: &str, password: Option<&str>) -> DockerConnection {
    DockerConnection {
        registry: registry.to_owned(),
        username: Some("user".to_owned()),
        password: password.map(Secret::new),
        insecure: false,
    }
}

#[tokio::test]
async fn it_is_private_and_goes_with_its_block() {
    let mut run = Run::at("unix:///nonexistent/docker.sock");
    run.connections.docker = vec![
        connection("docker.io", Some("secret")),
        connection("127.0.0.1:5000", Some("other")),
        connection("no-password.example", None),
    ];
    let login = run.config(&[]).await.unwrap();
    let fields = login.fields().to_json();
    let folder = std::path::PathBuf::from(fields["path"].as_str().unwrap());
    assert_eq!(login.environment(), [("DOCKER_CONFIG".to_owned(), folder.display().to_string())]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&folder) & 0o777, 0o700);
    assert_eq!(mode(&folder.join("config.json")) & 0o777, 0o600);
    let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    // printf user:secret | base64
    assert_eq!(json["auths"]["https://index.docker.io/v1/"]["auth"], "dXNlcjpzZWNyZXQ=");
    assert_eq!(json["auths"].as_object().unwrap().len(), 2);

    // Another one beside it, with one host.
    let one = run.config(&["127.0.0.1:5000"]).await.unwrap();
    let path = one.fields().to_json()["path"].as_str().unwrap().to_owned();
    assert_ne!(path, folder.display().to_string());
    let text = std::fs::read_to_string(format!("{path}/config.json")).unwrap();
    assert!(text.contains("127.0.0.1:5000") && !text.contains("index.docker.io"));

    login.undo(run.call(None)).await.unwrap();
    assert!(!folder.exists());
    // Dropped, it goes too.
    drop(one);
    assert!(!std::path::Path::new(&path).exists());
}

#[tokio::test]
async fn a_host_without_a_connection_is_a_mistake() {
    let run = Run::at("unix:///nonexistent/docker.sock");
    let failure = run.config(&["registry.example.com"]).await.err().unwrap();
    assert_eq!(failure.code, Code::NO_CONNECTION);
    let said = "no `connect docker(\"registry.example.com\", …)` stands in this file";
    assert_eq!(failure.message, said);
}
