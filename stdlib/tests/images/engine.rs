//! A real Docker Engine, through `docker.build` and `docker.push`.

use std::{fs, time::Duration};

use pipe_grammar::Code;
use pipe_stdlib::core::{DockerConnection, FailureKind, Secret, Spot, Value};
use serde_json::Value as Json;

use crate::{
    call::Machine,
    tools::{Engine, Registry, busybox, copy, folder, has, skopeo},
};

const TOOLS: [&str; 6] = ["root", "dockerd", "docker", "docker-registry", "skopeo", "busybox"];

fn machine(engine: &Engine) -> Machine {
    let mut machine = Machine::new();
    machine.set("DOCKER_HOST", &engine.address());
    machine
}

/// A context whose image has a shell.
fn with_shell(rest: &str) -> tempfile::TempDir {
    let text = format!("FROM scratch\nCOPY busybox /bin/sh\n{rest}");
    let context = folder(&[("Dockerfile", 0o644, &text)]);
    copy(&busybox(), &context.path().join("busybox"));
    context
}

#[tokio::test]
async fn an_engine_builds_and_pushes() {
    if !has("an_engine_builds_and_pushes", &TOOLS) {
        return;
    }
    let (engine, registry) = (Engine::shared(), Registry::start());
    let machine = machine(&engine);
    let context = with_shell("ARG V\nRUN echo hello $V > /made\nLABEL v=$V\n");
    let tag = registry.image("team/demo:1");
    let also = registry.image("team/demo:latest");
    let arguments = [
        ("tag", Value::from(tag.as_str())),
        ("tags", Value::strings([also.as_str()])),
        ("args", Value::record([("V", Value::from("7"))])),
        ("labels", Value::record([("by", Value::from("pipe"))])),
    ];
    let built = machine.build(context.path(), &arguments).await;
    built.says("building with the Docker Engine 20.10");
    built.says("4 RUN echo hello $V > /made");
    let pushed = machine.push(&tag, &[&also]).await;
    pushed.says("the image is in the Docker Engine at unix://");
    let digest = pushed.text("digest");
    assert_eq!(pushed.text("reference"), format!("{}@{digest}", registry.image("team/demo")));
    for image in [&tag, &also] {
        let seen: Json = serde_json::from_str(&skopeo(image, &[])).unwrap();
        assert_eq!(seen["Digest"], digest);
        assert_eq!(seen["Labels"], serde_json::json!({ "v": "7", "by": "pipe" }));
    }
    let manifest: Json = serde_json::from_str(&skopeo(&tag, &["--raw"])).unwrap();
    assert_eq!(manifest["config"]["digest"], built.text("id"));
    assert_eq!(crate::compare::pulled(&tag).await["made"].content, "hello 7\n");

    // Once more: nothing to do.
    machine.build(context.path(), &arguments).await.text("id");
    let again = machine.push(&tag, &[]).await;
    again.says(&format!("{tag} is there already ({})", &digest[..19]));
    assert!(again.intents.is_empty());
    assert_eq!(again.text("digest"), digest);
}

#[tokio::test]
async fn a_failed_instruction_is_shown_in_the_dockerfile() {
    if !has("a_failed_instruction_is_shown_in_the_dockerfile", &TOOLS) {
        return;
    }
    let engine = Engine::shared();
    let machine = machine(&engine);
    let context = with_shell("RUN echo one\nRUN echo two; echo three >&2; exit 7\n");
    let done = machine.build(context.path(), &[("tag", "fails:1".into())]).await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::BUILD_FAILED, FailureKind::Step));
    assert_eq!(failure.message, "a command of the Dockerfile ended with status 7");
    let text = fs::read_to_string(context.path().join("Dockerfile")).unwrap();
    let Spot::File { bytes, .. } = &failure.spot else { panic!("{failure:#?}") };
    assert!(text[bytes.start..].starts_with("RUN echo two"), "{failure:#?}");
    let (title, lines) = &failure.evidence[0];
    assert_eq!(title, "the last lines of its output");
    assert!(
        lines.iter().any(|l| l == "two") && lines.iter().any(|l| l.contains("three")),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|l| l == "one"));
    let left = engine.client(&["ps", "-a", "--no-trunc", "--format", "{{.Command}}"]).stdout;
    assert!(!String::from_utf8_lossy(&left).contains("echo two"));

    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPPY a b\n").unwrap();
    let done = machine.build(context.path(), &[]).await;
    let failure = done.failure();
    assert_eq!(failure.code, Code::DOCKERFILE);
    assert!(
        matches!(&failure.spot, Spot::File { bytes, .. } if *bytes == (13..22)),
        "{failure:#?}"
    );
}

#[tokio::test]
async fn a_cancelled_build_ends_its_command() {
    if !has("a_cancelled_build_ends_its_command", &TOOLS) {
        return;
    }
    let engine = Engine::shared();
    let machine = machine(&engine);
    let context = with_shell("RUN echo started; sleep 300\n");
    let cancel = machine.cancel.clone();
    let running = |engine: &Engine| {
        let out = engine.client(&["ps", "-q", "--filter", "status=running"]).stdout;
        !out.is_empty()
    };
    let watch = {
        let engine = engine.clone();
        tokio::task::spawn_blocking(move || {
            for _ in 0..200 {
                if running(&engine) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            cancel.cancel();
        })
    };
    let done = machine.build(context.path(), &[("no_cache", true.into())]).await;
    watch.await.unwrap();
    assert_eq!(done.failure().kind, FailureKind::Cancelled);
    for _ in 0..100 {
        if !running(&engine) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the container still runs");
}

#[tokio::test]
async fn an_engine_is_refused_by_a_registry() {
    if !has("an_engine_is_refused_by_a_registry", &TOOLS) {
        return;
    }
    let (engine, registry) = (Engine::shared(), Registry::with_login());
    let mut machine = machine(&engine);
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY f /\n"), ("f", 0o644, "f")]);
    let tag = registry.image("demo:1");
    machine.build(context.path(), &[("tag", tag.as_str().into())]).await.text("id");
    let login = |password: &str| DockerConnection {
        registry: registry.host.clone(),
        username: Some("user".to_owned()),
        password: Some(Secret::new(password)),
        insecure: false,
    };
    machine.connections.docker = vec![login("wrong")];
    let done = machine.push(&tag, &[]).await;
    assert_eq!(done.failure().message, format!("`{}` refused the login of `user`", registry.host));
    machine.connections.docker = vec![login("secret")];
    assert!(machine.push(&tag, &[]).await.text("digest").starts_with("sha256:"));
}

#[tokio::test]
async fn of_two_builders_the_later_one_is_pushed() {
    if !has("of_two_builders_the_later_one_is_pushed", &TOOLS) {
        return;
    }
    let (engine, registry) = (Engine::shared(), Registry::start());
    let machine = machine(&engine);
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY f /\n"), ("f", 0o644, "f")]);
    let tag = registry.image("two:1");
    let build = async |builder: &str| {
        let arguments = [("tag", Value::from(tag.as_str())), ("builder", Value::from(builder))];
        machine.build(context.path(), &arguments).await.text("id")
    };
    let id = build("engine").await;
    let layers = build("layers").await;
    let pushed = machine.push(&tag, &[]).await;
    pushed.says("is in the image store of this machine");
    assert_eq!(pushed.text("id"), layers);
    assert_eq!(build("engine").await, id, "the engine's cache");
    let pushed = machine.push(&tag, &[]).await;
    pushed.says("the image is in the Docker Engine");
    assert_eq!(pushed.text("id"), id);
}

#[tokio::test]
async fn a_dockerfile_outside_the_context_is_not_part_of_it() {
    if !has("a_dockerfile_outside_the_context_is_not_part_of_it", &TOOLS) {
        return;
    }
    let (engine, registry) = (Engine::shared(), Registry::start());
    let root = folder(&[
        ("build/Dockerfile.web", 0o644, "FROM scratch\nCOPY . /x/\n"),
        ("site/f", 0o644, "f"),
        ("site/drop", 0o644, "d"),
        ("site/.dockerignore", 0o644, "drop\n"),
        ("site/.pipe/runs/1", 0o644, ""),
    ]);
    let mut found = Vec::new();
    for (machine, builder) in [(machine(&engine), "engine"), (Machine::new(), "layers")] {
        let tag = registry.image(&format!("outside:{builder}"));
        machine
            .build(
                root.path(),
                &[
                    ("context", Value::Path("site".into())),
                    ("dockerfile", Value::Path("build/Dockerfile.web".into())),
                    ("tag", tag.as_str().into()),
                    ("push", true.into()),
                ],
            )
            .await
            .text("id");
        let files = crate::compare::pulled(&tag).await;
        found.push(files.into_keys().collect::<Vec<_>>());
    }
    for files in found {
        assert_eq!(files, ["x", "x/.dockerignore", "x/f"]);
    }
}
