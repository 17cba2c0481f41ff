//! Images from registry to registry, and under further names.

use pipe_grammar::Code;
use pipe_stdlib::{
    client::registry::glance,
    core::{Value, World},
};
use serde_json::Value as Json;

use crate::{
    call::{Done, Machine},
    compare::pulled,
    tools::{Engine, Registry, folder, has, skopeo},
};

fn context() -> tempfile::TempDir {
    let text = "FROM scratch\nCOPY f /f\nLABEL a=b\n";
    folder(&[("Dockerfile", 0o644, text), ("f", 0o644, "content")])
}

/// Builds and pushes.
async fn pushed(machine: &Machine, tag: &str, more: &[(&'static str, Value)]) -> Done {
    let arguments = [&[("tag", Value::from(tag)), ("push", true.into())], more].concat();
    machine.build(context().path(), &arguments).await
}

fn digest(image: &str) -> String {
    let seen: Json = serde_json::from_str(&skopeo(image, &[])).unwrap();
    seen["Digest"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_image_is_copied_as_it_is() {
    if !has("an_image_is_copied_as_it_is", &["docker-registry", "skopeo"]) {
        return;
    }
    let (one, two, machine) = (Registry::start(), Registry::start(), Machine::new());
    let tag = one.image("team/demo:1");
    let wanted = pushed(&machine, &tag, &[]).await.text("digest");

    // To another registry. Nothing of it is kept here.
    let other = Machine::new();
    let to = two.image("else/demo:stable");
    let done =
        other.step("copy", &[("image", tag.as_str().into()), ("to", to.as_str().into())]).await;
    assert_eq!(done.text("digest"), wanted);
    assert_eq!(done.text("reference"), format!("{}@{wanted}", two.image("else/demo")));
    done.says("1 layer sent, 0 there already");
    assert_eq!(digest(&to), wanted);
    assert!(!other.home.path().join(".local").exists());

    // To another repository, and to another tag of the same one.
    let to = one.image("else/demo:1");
    let done =
        other.step("copy", &[("image", tag.as_str().into()), ("to", to.as_str().into())]).await;
    done.says("is in another repository of the registry");
    assert_eq!(digest(&to), wanted);
    let done =
        other.step("copy", &[("image", tag.as_str().into()), ("to", ":latest".into())]).await;
    assert_eq!(done.text("repository"), one.image("team/demo"));
    assert_eq!(digest(&one.image("team/demo:latest")), wanted);
    let again =
        other.step("copy", &[("image", tag.as_str().into()), ("to", ":latest".into())]).await;
    again.says("is there already");
    assert!(again.intents.is_empty());

    let none = one.image("team/none:1");
    let done = other.step("copy", &[("image", none.as_str().into()), ("to", ":2".into())]).await;
    assert_eq!(done.failure().code, Code::INVALID_IMAGE);
    assert_eq!(done.failure().message, format!("`{}` has no image `{none}`", one.host));
}

#[tokio::test]
async fn images_for_several_platforms_stand_under_one_name() {
    if !has("images_for_several_platforms_stand_under_one_name", &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, machine) = (Registry::start(), Machine::new());
    let mut parts = Vec::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        let tag = registry.image(&format!("parts/{}:1", platform.replace('/', "-")));
        pushed(&machine, &tag, &[("platform", platform.into())]).await.text("digest");
        parts.push(tag);
    }
    let tag = registry.image("demo:1");
    let images = Value::strings(parts.iter().map(String::as_str));
    let joined =
        machine.step("manifest", &[("tag", tag.as_str().into()), ("images", images)]).await;
    let raw: Json = serde_json::from_str(&skopeo(&tag, &["--raw"])).unwrap();
    let kind = "application/vnd.docker.distribution.manifest.list.v2+json";
    assert_eq!(raw["mediaType"], kind);
    assert_eq!(raw["manifests"][1]["platform"]["architecture"], "arm64");
    for platform in ["amd64", "arm64"] {
        let config: Json =
            serde_json::from_str(&skopeo(&tag, &["--config", "--override-arch", platform]))
                .unwrap_or_default();
        assert_eq!(config["architecture"], platform);
    }

    // The same in one go.
    let both = Value::strings(["linux/amd64", "linux/arm64"]);
    let built = pushed(&machine, &registry.image("both:1"), &[("platforms", both)]).await;
    assert_eq!(built.text("digest"), joined.text("digest"));

    // One of them, and all.
    let (one, all) = (registry.image("one:1"), registry.image("all:1"));
    let arm = Value::strings(["linux/arm64"]);
    let image = ("image", Value::from(tag.as_str()));
    machine
        .step("copy", &[image.clone(), ("to", one.as_str().into()), ("platforms", arm)])
        .await
        .text("digest");
    let config: Json = serde_json::from_str(&skopeo(&one, &["--config"])).unwrap();
    assert_eq!(config["architecture"], "arm64");
    let copied = machine.step("copy", &[image.clone(), ("to", all.as_str().into())]).await;
    assert_eq!(copied.text("digest"), joined.text("digest"));
    let none = Value::strings(["linux/s390x"]);
    let done = machine.step("copy", &[image, ("to", ":x".into()), ("platforms", none)]).await;
    assert!(done.failure().message.ends_with("is not made for `linux/s390x`"));

    let twice = Value::strings([parts[0].as_str(), parts[0].as_str()]);
    let done = machine.step("manifest", &[("tag", tag.as_str().into()), ("images", twice)]).await;
    assert!(done.failure().message.ends_with("are both for `linux/amd64`"));

    let seen = machine.step("inspect", &[("image", tag.as_str().into())]).await;
    assert_eq!(seen.text("digest"), joined.text("digest"));
    let seen = seen.outcome.unwrap().to_json();
    assert_eq!(seen["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]));
    assert_eq!(seen["labels"], serde_json::json!({ "a": "b" }));
}

#[tokio::test]
async fn an_oci_image_can_be_annotated() {
    if !has("an_oci_image_can_be_annotated", &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, machine) = (Registry::start(), Machine::new());
    let tag = registry.image("demo:1");
    let facts = Value::record([("org.example.a", Value::from("b"))]);
    let refused = pushed(&machine, &tag, &[("annotations", facts.clone())]).await;
    assert_eq!(refused.failure().message, "a manifest in Docker's format has no annotations");
    pushed(&machine, &tag, &[("annotations", facts), ("format", "oci".into())]).await.text("id");
    let raw: Json = serde_json::from_str(&skopeo(&tag, &["--raw"])).unwrap();
    assert_eq!(raw["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(raw["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    assert_eq!(raw["annotations"], serde_json::json!({ "org.example.a": "b" }));
    // As one sees at a glance who deploys it.
    let world = World::new("/".into(), "/".into(), std::collections::BTreeMap::new());
    let seen = glance(&tag.parse().unwrap(), &world, &machine.connections).await.unwrap();
    assert_eq!(seen.media_type, "application/vnd.oci.image.manifest.v1+json");
    let none = registry.image("none:1").parse().unwrap();
    assert_eq!(glance(&none, &world, &machine.connections).await, None);
    assert_eq!(pulled(&tag).await["f"].content, "content");
}

#[tokio::test]
async fn a_pulled_image_is_here() {
    if !has("a_pulled_image_is_here", &["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start();
    let tag = registry.image("demo:1");
    let wanted = pushed(&Machine::new(), &tag, &[]).await;
    let machine = Machine::new();
    let done = machine.step("pull", &[("image", tag.as_str().into())]).await;
    assert_eq!(done.text("digest"), wanted.text("digest"));
    assert_eq!(done.text("id"), wanted.text("id"));
    // It gets a further name and is pushed under it.
    let other = registry.image("other:2");
    let names = Value::strings([other.as_str(), ":3"]);
    let done = machine.step("tag", &[("image", tag.as_str().into()), ("as", names)]).await;
    assert_eq!(done.text("id"), wanted.text("id"));
    assert_eq!(machine.push(&other, &[]).await.text("digest"), wanted.text("digest"));
    let third = registry.image("demo:3");
    let seen =
        machine.step("inspect", &[("image", third.as_str().into()), ("local", true.into())]).await;
    assert_eq!(seen.text("digest"), wanted.text("digest"));
    let none = registry.image("demo:none");
    let done = machine.step("inspect", &[("image", none.as_str().into())]).await;
    assert_eq!(done.failure().code, Code::INVALID_IMAGE);
}

#[tokio::test]
async fn an_engine_pulls_names_and_looks() {
    let name = "an_engine_pulls_names_and_looks";
    if !has(name, &["root", "dockerd", "docker", "docker-registry", "skopeo"]) {
        return;
    }
    let (engine, registry, mut machine) = (Engine::shared(), Registry::start(), Machine::new());
    let tag = registry.image("demo:1");
    let wanted = pushed(&machine, &tag, &[("builder", "layers".into())]).await.text("digest");
    machine.set("DOCKER_HOST", &engine.address());
    let done = machine.step("pull", &[("image", tag.as_str().into())]).await;
    assert_eq!(done.text("digest"), wanted);
    let named =
        machine.step("tag", &[("image", tag.as_str().into()), ("as", ":engine".into())]).await;
    assert!(named.text("id").starts_with("sha256:"));
    let out = engine.client(&["image", "inspect", &registry.image("demo:engine")]);
    assert!(out.status.success());
    let none = registry.image("none:1");
    let done = machine.step("pull", &[("image", none.as_str().into())]).await;
    assert_eq!(done.failure().code, Code::INVALID_IMAGE);

    // What the classic builder can't do is done without it, or refused before anything begins.
    let folder = folder(&[("x", 0o644, "x")]);
    let path = folder.path().display().to_string();
    let contexts = Value::record([("more", Value::from(path))]);
    let text = "FROM scratch\nCOPY --from=more x /x\n";
    let context = crate::tools::folder(&[("Dockerfile", 0o644, text)]);
    let done = machine.build(context.path(), &[("contexts", contexts.clone())]).await;
    done.says("not with the Docker Engine");
    done.says("building without a Docker daemon");
    done.text("id");
    let forced = [("contexts", contexts), ("builder", "engine".into())];
    let done = machine.build(context.path(), &forced).await;
    assert_eq!(done.failure().message, "the Docker Engine's builder knows no further contexts");
}
