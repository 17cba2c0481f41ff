//! The builder without a daemon, through `docker.build` and `docker.push`, against a registry.

use std::fs;

use pipe_grammar::Code;
use pipe_stdlib::core::{FailureKind, Intent, LocalCluster, Spot, Value};
use serde_json::Value as Json;

use crate::{
    call::Machine,
    tools::{Registry, folder, has, skopeo},
};

const DOCKERFILE: &str = r#"ARG BASE=scratch
FROM ${BASE}
ARG VERSION=0
ENV PORT=8080 VERSION=$VERSION
WORKDIR /srv
COPY --chown=1000 site ./site/
COPY --chmod=0755 server /bin/
EXPOSE $PORT 53/udp
LABEL org.opencontainers.image.title="A \"demo\"" \
      version=$VERSION
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --retries=2 CMD ["/bin/server", "--check"]
ENTRYPOINT ["/bin/server"]
CMD ["--port", "8080"]
"#;

fn demo() -> tempfile::TempDir {
    folder(&[
        ("Dockerfile", 0o644, DOCKERFILE),
        ("server", 0o644, "#!/bin/busybox sh\n"),
        ("site/index.html", 0o600, "<h1>Hello</h1>"),
        ("site/link", 0, "->index.html"),
    ])
}

#[tokio::test]
async fn what_is_pushed_is_what_was_built() {
    if !has("what_is_pushed_is_what_was_built", &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, machine, context) = (Registry::start(), Machine::new(), demo());
    let tag = registry.image("ssk2/demo:1");
    let args = Value::record([("VERSION", "7")].map(|(k, v)| (k, Value::from(v))));
    let built = machine
        .build(context.path(), &[("tag", tag.as_str().into()), ("args", args.clone())])
        .await;
    built.says("building without a Docker daemon (layers)");
    built.says("4/13 COPY --chown=1000 site ./site/");
    assert_eq!(built.text("reference"), tag);
    assert_eq!(built.text("repository"), registry.image("ssk2/demo"));
    assert_eq!(built.intents, [Intent::Image { reference: tag.clone() }]);

    let also = registry.image("ssk2/demo:latest");
    let pushed = machine.push(&tag, &[&also]).await;
    let digest = pushed.text("digest");
    assert_eq!(pushed.text("reference"), format!("{}@{digest}", registry.image("ssk2/demo")));
    assert_eq!(pushed.text("id"), built.text("id"));
    pushed.says("3 layers sent, 0 there already");
    for image in [&tag, &also, &pushed.text("reference")] {
        let seen: Json = serde_json::from_str(&skopeo(image, &[])).unwrap();
        assert_eq!(seen["Digest"], digest);
    }
    let manifest: Json = serde_json::from_str(&skopeo(&tag, &["--raw"])).unwrap();
    assert_eq!(manifest["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
    assert_eq!(manifest["config"]["digest"], built.text("id"));
    let image: Json = serde_json::from_str(&skopeo(&tag, &["--config"])).unwrap();
    let config = &image["config"];
    assert_eq!(
        config["Env"],
        serde_json::json!([
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PORT=8080",
            "VERSION=7"
        ])
    );
    assert_eq!(config["Cmd"], serde_json::json!(["--port", "8080"]));
    assert_eq!(config["Entrypoint"], serde_json::json!(["/bin/server"]));
    assert_eq!(config["WorkingDir"], "/srv");
    assert_eq!(config["User"], "1000:1000");
    assert_eq!(config["ExposedPorts"], serde_json::json!({ "53/udp": {}, "8080/tcp": {} }));
    assert_eq!(config["Labels"]["org.opencontainers.image.title"], "A \"demo\"");
    assert_eq!(config["Labels"]["version"], "7");
    assert_eq!(image["os"], "linux");
    assert_eq!(image["created"], "1970-01-01T00:00:00Z");

    // The same content is the same image, on another machine too, and is not sent again.
    let other = Machine::new();
    let again = other.build(context.path(), &[("tag", tag.as_str().into()), ("args", args)]).await;
    assert_eq!(again.text("id"), built.text("id"));
    let again = other.push(&tag, &[]).await;
    again.says(&format!("{tag} is there already ({})", &digest[..19]));
    assert_eq!(again.text("digest"), digest);
    assert!(again.intents.is_empty());

    // One changed file: one layer anew.
    fs::write(context.path().join("server"), "#!/bin/busybox ash\n").unwrap();
    let changed =
        machine.build(context.path(), &[("tag", tag.as_str().into()), ("push", true.into())]).await;
    changed.says("as before");
    changed.says("1 layer sent, 2 there already");
    assert_ne!(changed.text("digest"), digest);
}

#[tokio::test]
async fn an_image_builds_on_one_of_the_registry() {
    if !has("an_image_builds_on_one_of_the_registry", &["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start();
    let base = folder(&[
        ("Dockerfile", 0o644, "FROM scratch\nCOPY root /\nENV A=1\nCMD [\"/x\"]\n"),
        ("root/tmp/", 0o1777, ""),
        ("root/usr/lib/a", 0o644, "a"),
        ("root/lib", 0, "->usr/lib"),
    ]);
    let machine = Machine::new();
    let tag = registry.image("base:1");
    machine
        .build(base.path(), &[("tag", tag.as_str().into()), ("push", true.into())])
        .await
        .text("id");

    let text = format!(
        "FROM {tag} AS base\nENV B=$A\nFROM base\nCOPY f /tmp/\nCOPY f /lib/b\nENTRYPOINT [\"/e\"]\n"
    );
    let upper = folder(&[("Dockerfile", 0o644, &text), ("f", 0o644, "f")]);
    let other = Machine::new();
    let tag = registry.image("upper:1");
    let built =
        other.build(upper.path(), &[("tag", tag.as_str().into()), ("push", true.into())]).await;
    built.says("fetching");
    // The base's own layer is in the registry, under another name.
    built.says("is in another repository of the registry");
    built.says("2 layers sent, 1 there already");
    let config: Json = serde_json::from_str(&skopeo(&tag, &["--config"])).unwrap();
    assert_eq!(config["config"]["Cmd"], Json::Null, "an entrypoint takes the base's command away");
    let env: Vec<&str> =
        config["config"]["Env"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    assert_eq!(&env[1..], ["A=1", "B=1"]);
    // A folder of the base keeps its mode, a link its place.
    let root = crate::compare::pulled(&tag).await;
    assert_eq!(root["tmp"].mode, 0o1777);
    assert_eq!(root["tmp/f"].content, "f");
    assert_eq!(root["lib"].content, "usr/lib");
    assert_eq!(root["usr/lib/b"].content, "f");
}

#[tokio::test]
async fn what_needs_an_engine_is_refused_at_its_place() {
    let machine = Machine::new();
    let text =
        "FROM scratch\nCOPY a /a\nRUN echo hi\nADD https://example.com/x /x\nCOPY --parents a b\n";
    let context = folder(&[("Dockerfile", 0o644, text), ("a", 0o644, "")]);
    let done = machine.build(context.path(), &[]).await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::DOCKERFILE, FailureKind::Step));
    assert_eq!(failure.message, "`RUN` runs a command in the image, which this builder can't");
    let path = context.path().join("Dockerfile");
    let at = text.find("RUN").unwrap();
    assert_eq!(failure.spot, Spot::File { path, bytes: at..at + 3 });
    assert!(failure.help[0].contains("`DOCKER_HOST`"));
    let further: Vec<&str> = failure.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        further,
        ["`ADD` of a URL is beyond this builder", "`COPY --parents` is beyond this builder"]
    );
    // A stage that is not needed does not matter.
    let text = "FROM scratch AS x\nRUN echo\nFROM scratch\nCOPY a /a\n";
    fs::write(context.path().join("Dockerfile"), text).unwrap();
    machine.build(context.path(), &[]).await.text("id");
    let target = machine
        .build(context.path(), &[("target", "x".into()), ("builder", "layers".into())])
        .await;
    assert!(target.failure().help[1].contains("by `builder: \"layers\"`"));
    let unknown = machine.build(context.path(), &[("target", "y".into())]).await;
    assert_eq!(unknown.failure().message, "no stage is called `y`");
}

#[tokio::test]
async fn mistakes_in_a_dockerfile_have_words_and_a_place() {
    let machine = Machine::new();
    for (line, place, message) in [
        ("COPY indx.html /", "indx.html", "`indx.html` is not in the build context"),
        ("COPY secret /", "secret", "`secret` is not in the build context"),
        ("COPY ../x /", "../x", "`../x` leaves the build context"),
        ("COPY *.none /", "*.none", "nothing in the build context matches `*.none`"),
        ("COPY index.html a b", "b", "several sources go to `b`, which is no folder"),
        (
            "COPY --chown=www index.html /",
            "--chown=www",
            "the image has no user `www` in its `/etc/passwd`",
        ),
        ("COPY --chmod=9 index.html /", "--chmod=9", "`9` is no mode"),
        ("EXPOSE http", "http", "`http` is no port: write `8080`, `53/udp` or `8000-8010`"),
        ("HEALTHCHECK --interval=1 CMD x", "--interval=1", "`--interval=1` can't be read"),
        ("ENV A", "A", "`A` has no value"),
        ("ENV A=${B", "A=${B", "a `${` is never closed"),
        ("COPPY a b", "COPPY", "`COPPY` is no instruction of a Dockerfile"),
    ] {
        let text = format!("# x\nFROM scratch\n{line}\n");
        let context = folder(&[
            ("Dockerfile", 0o644, &text),
            (".dockerignore", 0o644, "secret\n"),
            ("index.html", 0o644, ""),
            ("a", 0o644, ""),
            ("secret", 0o644, ""),
        ]);
        let done = machine.build(context.path(), &[]).await;
        let failure = done.failure();
        assert_eq!(failure.message, message);
        assert_eq!(failure.code, Code::DOCKERFILE);
        let Spot::File { bytes, .. } = &failure.spot else { panic!("{failure:#?}") };
        assert_eq!(&text[bytes.clone()], place);
    }
    let context = folder(&[
        ("Dockerfile", 0o644, "FROM scratch\nCOPY indx.html /\n"),
        ("index.html", 0o644, ""),
    ]);
    let done = machine.build(context.path(), &[]).await;
    assert_eq!(done.failure().help, ["did you mean `index.html`?"]);
}

#[tokio::test]
async fn names_that_no_registry_takes_are_refused_with_the_repaired_one() {
    let (machine, context) = (Machine::new(), demo());
    let done = machine.build(context.path(), &[("tag", "Demo:1".into())]).await;
    let failure = done.failure();
    assert_eq!((failure.code, &failure.spot), (Code::INVALID_IMAGE, &Spot::Argument("tag")));
    assert_eq!(failure.message, "the repository `Demo` must be in lower case");
    assert_eq!(failure.help, ["write `demo:1`"]);
    let done = machine.build(context.path(), &[("push", true.into())]).await;
    assert_eq!(done.failure().message, "`push: true` needs a name to push to");
    let done = machine.push("demo:1", &[]).await;
    assert_eq!(done.failure().message, "there is no image `demo:1` on this machine");
    let done = machine.build(context.path(), &[("builder", "engine".into())]).await;
    assert_eq!(
        (done.failure().code, done.failure().kind),
        (Code::NO_ENGINE, FailureKind::Infrastructure)
    );
}

#[tokio::test]
async fn with_the_local_cluster_every_name_is_its_own() {
    if !has("with_the_local_cluster_every_name_is_its_own", &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, mut machine, context) = (Registry::start(), Machine::new(), demo());
    machine.connections.local =
        Some(LocalCluster { marathon: String::new(), registry: registry.host.clone() });
    let built = machine
        .build(
            context.path(),
            &[("tag", "registry.example.com/demo:1".into()), ("push", true.into())],
        )
        .await;
    let digest = built.text("digest");
    let repository = registry.image("registry.example.com/demo");
    assert_eq!(built.text("reference"), format!("{repository}@{digest}"));
    let seen: Json = serde_json::from_str(&skopeo(&format!("{repository}:1"), &[])).unwrap();
    assert_eq!(seen["Digest"], digest);
    // The name as it is written leads there as well.
    machine.push("registry.example.com/demo:1", &[]).await.says("is there already");
}

#[tokio::test]
async fn a_cancelled_build_leaves_nothing() {
    let machine = Machine::new();
    let context = demo();
    machine.cancel.cancel();
    let done = machine
        .build(context.path(), &[("tag", "demo:1".into()), ("builder", "layers".into())])
        .await;
    assert_eq!(done.failure().kind, FailureKind::Cancelled);
    let images = machine.home.path().join(".local/state/pipe/images");
    assert!(!images.join("images/docker.io").exists());
}
