//! buildah as the builder.

use std::fs;

use pipe_grammar::Code;
use pipe_stdlib::core::{Secret, Spot, Value};
use serde_json::Value as Json;

use crate::{
    call::Machine,
    compare::pulled,
    tools::{Registry, busybox, copy, folder, has, skopeo},
};

/// A machine whose buildah keeps its images in the home folder.
fn machine() -> Machine {
    let mut machine = Machine::new();
    let home = machine.home.path().to_owned();
    let at = |name: &str| home.join(name).display().to_string();
    let text = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        at("graph"),
        at("run")
    );
    fs::write(home.join("storage.conf"), text).unwrap();
    machine.set("CONTAINERS_STORAGE_CONF", &at("storage.conf"));
    machine.set("BUILDAH_ISOLATION", "chroot");
    machine.set("PATH", &std::env::var("PATH").unwrap());
    machine
}

#[tokio::test]
async fn buildah_builds_what_runs_commands() {
    let tools = ["root", "buildah", "busybox", "docker-registry", "skopeo"];
    if !has("buildah_builds_what_runs_commands", &tools) {
        return;
    }
    let (registry, machine) = (Registry::start(), machine());
    let text =
        "FROM scratch\nCOPY busybox /bin/sh\nARG V\nRUN echo hello $V > /made\nCOPY . /all/\n";
    let context = folder(&[
        ("Dockerfile", 0o644, text),
        (".dockerignore", 0o644, "drop\nbusybox/no\n"),
        ("drop", 0o644, ""),
        (".pipe/runs/1", 0o644, ""),
    ]);
    copy(&busybox(), &context.path().join("busybox"));
    let tag = registry.image("demo:1");
    let args = Value::record([("V", Value::from("7"))]);
    let arguments = [("tag", Value::from(tag.as_str())), ("args", args), ("push", true.into())];
    let done = machine.build(context.path(), &arguments).await;
    done.says("building with buildah");
    done.says("4/5 RUN echo hello $V > /made");
    let seen: Json = serde_json::from_str(&skopeo(&tag, &[])).unwrap();
    assert_eq!(seen["Digest"], done.text("digest"));
    // Mesos can pull it.
    let raw: Json = serde_json::from_str(&skopeo(&tag, &["--raw"])).unwrap();
    assert_eq!(raw["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    let files = pulled(&tag).await;
    assert_eq!(files["made"].content, "hello 7\n");
    assert!(files.contains_key("all/busybox"));
    assert!(!files.contains_key("all/drop") && !files.contains_key("all/.pipe"), "{files:#?}");

    // A secret reaches a command and leaves nothing.
    let text = "FROM scratch\nCOPY busybox /bin/sh\n\
        RUN --mount=type=secret,id=token read x < /run/secrets/token; echo ${#x} > /made\n";
    fs::write(context.path().join("Dockerfile"), text).unwrap();
    let secret = Value::Secret(Secret::new("hunter2"));
    let arguments = [
        ("tag", Value::from(tag.as_str())),
        ("secrets", Value::record([("token", secret)])),
        ("network", "none".into()),
        ("push", true.into()),
    ];
    let done = machine.build(context.path(), &arguments).await;
    done.text("digest");
    assert!(!done.said.join("\n").contains("hunter2"));
    assert_eq!(pulled(&tag).await["made"].content, "7\n");

    let text = "FROM scratch\nCOPY busybox /bin/sh\nRUN echo two; exit 7\n";
    fs::write(context.path().join("Dockerfile"), text).unwrap();
    let done = machine.build(context.path(), &[("builder", "buildah".into())]).await;
    let failure = done.failure();
    assert_eq!(failure.code, Code::BUILD_FAILED);
    assert_eq!(failure.message, "a command of the Dockerfile ended with status 7");
    let Spot::File { bytes, .. } = &failure.spot else { panic!("{failure:#?}") };
    assert_eq!(&text[bytes.clone()], "RUN");
    assert!(failure.evidence[0].1.iter().any(|line| line == "two"), "{failure:#?}");
}

#[tokio::test]
async fn a_builder_that_is_not_there_is_named() {
    let machine = Machine::new();
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nRUN x\n")]);
    let done = machine.build(context.path(), &[("builder", "buildah".into())]).await;
    assert_eq!(done.failure().message, "`buildah` is not installed");
    let done = machine.build(context.path(), &[]).await;
    assert!(done.failure().help[0].contains("install `buildah`"));
}
