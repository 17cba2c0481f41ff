//! The same Dockerfile built by both builders: the same files, the same configuration.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use pipe_oci::{Platform, Reference, Store};
use pipe_stdlib::{
    client::registry::{Credentials, Pace, Registry as Client},
    core::{Connections, Value},
};
use serde_json::Value as Json;

use crate::{
    call::Machine,
    cases,
    tools::{Engine, Registry, has, skopeo},
};

/// What stands at a path of an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    /// How many names a file has.
    pub(crate) names: u64,
    /// Of a link its target, of a folder nothing.
    pub(crate) content: String,
}

/// The files of an image in a registry.
pub(crate) async fn pulled(image: &str) -> BTreeMap<String, Seen> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store")).unwrap();
    let reference: Reference = image.parse().unwrap();
    let connections = Connections::default();
    let client =
        Client::with(reference.host(), Credentials::Anonymous, &connections, Pace::default())
            .await
            .unwrap();
    let manifest = client.pull(&store, &reference, &Platform::host()).await.unwrap();
    let root = folder.path().join("root");
    store.unpack(&store.manifest(&manifest.digest).unwrap(), &root).unwrap();
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let (name, seen) = look(&root, &path);
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                folders.push(path);
            }
            found.insert(name, seen);
        }
    }
    found
}

fn look(root: &Path, path: &PathBuf) -> (String, Seen) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let content = if metadata.is_symlink() {
        fs::read_link(path).unwrap().display().to_string()
    } else if metadata.is_file() {
        String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
    } else {
        String::new()
    };
    let owner = (metadata.uid(), metadata.gid());
    let names = if metadata.is_file() { metadata.nlink() } else { 1 };
    let name = path.strip_prefix(root).unwrap().display().to_string();
    (name, Seen { mode: metadata.mode() & 0o7777, owner, names, content })
}

/// The configuration as far as it decides how the image runs.
fn config(image: &str) -> Json {
    let whole: Json = serde_json::from_str(&skopeo(image, &["--config", "--raw"])).unwrap();
    let mut config = whole["config"].clone();
    let fields = config.as_object_mut().unwrap();
    // What engines write besides: the container they built in.
    for field in [
        "Hostname",
        "Domainname",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "Tty",
        "OpenStdin",
        "StdinOnce",
        "Image",
        "ArgsEscaped",
    ] {
        fields.remove(field);
    }
    // Absent, null and empty mean the same.
    fields.retain(|_, v| {
        !(v.is_null()
            // Where no other folder is named.
            || *v == "/"
            || *v == ""
            || v.as_object().is_some_and(serde_json::Map::is_empty)
            || v.as_array().is_some_and(Vec::is_empty))
    });
    serde_json::json!({ "config": config, "os": whole["os"], "architecture": whole["architecture"], "author": whole["author"] })
}

/// Where Docker's classic builder differs from BuildKit, whose images are the same as ours. It loses
/// setuid; gives the folders that `--chown` makes on its way, and those of `WORKDIR`, to root; takes
/// the group of the user's name for a user with a name; carries `ARG`s and the maintainer over from
/// stage to stage in its own way; and builds stages that nothing needs.
const CLASSIC: &[&str] = &[
    "a setuid program",
    "everything",
    "everything to the root",
    "chown",
    "chown without a group",
    "chown by name",
    "from a stage, all of it",
    "add an archive to an owner",
    "a working folder through a link",
    "arg of another stage",
    "maintainer of the base",
    "a stage that is not needed",
];

/// Whether the classic builder knows all words of a Dockerfile.
fn is_classic(text: &str) -> bool {
    !["--chmod", "--link", "<<", "TARGET", "BUILDPLATFORM"].iter().any(|word| text.contains(word))
}

#[tokio::test]
async fn images_are_those_of_buildkit() {
    let tools = ["root", "dockerd", "docker", "docker-registry", "skopeo", "curl", "tar"];
    if has("images_are_those_of_buildkit", &tools) {
        let build = |engine: &Engine, folder: &Path, tag: &str| {
            engine.buildkit(folder, tag, r#"{"B":"2","C":"3"}"#)
        };
        compare(|_, _| true, build).await;
    }
}

#[tokio::test]
async fn images_are_those_of_the_classic_builder() {
    let tools = ["root", "dockerd", "docker", "docker-registry", "skopeo"];
    if has("images_are_those_of_the_classic_builder", &tools) {
        let build = |engine: &Engine, folder: &Path, tag: &str| {
            let folder = folder.display().to_string();
            let args = ["--build-arg", "B=2", "--build-arg", "C=3", "-t", tag, &folder];
            let output = engine.client(&[&["build", "-q"][..], &args].concat());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(said) }
        };
        compare(|about, text| !CLASSIC.contains(&about) && is_classic(text), build).await;
    }
}

/// Builds every case with both, and compares.
async fn compare(
    has: fn(&str, &str) -> bool,
    build: impl Fn(&Engine, &Path, &str) -> Result<(), String>,
) {
    let (engine, registry, context) = (Engine::shared(), Registry::start(), cases::context());
    let machine = Machine::new();
    let (base, triggers) = (registry.image("base:1"), registry.image("triggers:1"));
    for (tag, folder) in [(&base, cases::base()), (&triggers, cases::triggers(&base))] {
        let folder = folder.path().display().to_string();
        for arguments in [&["build", "-q", "-t", tag, &folder][..], &["push", "-q", tag]] {
            let output = engine.client(arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let plain = cases::CASES.iter().map(|(about, text)| (*about, *text, *text));
    // `PIPE_CASE=chown` runs those whose name holds it.
    let only = std::env::var("PIPE_CASE").unwrap_or_default();
    let all = plain.chain(cases::NEWER.iter().copied());
    let all = all.filter(|(about, text, _)| has(about, text) && about.contains(&only));
    let mut different = Vec::new();
    for (number, (about, ours_text, theirs_text)) in all.enumerate() {
        let file = context.path().join("Dockerfile");
        let theirs = registry.image(&format!("case{number}:theirs"));
        fs::write(&file, cases::dockerfile(theirs_text, &base, &triggers)).unwrap();
        if let Err(said) = build(&engine, context.path(), &theirs) {
            different.push(format!("{about}: {said}"));
            continue;
        }
        assert!(engine.client(&["push", "-q", &theirs]).status.success());
        let ours = registry.image(&format!("case{number}:ours"));
        let text = cases::dockerfile(ours_text, &base, &triggers);
        // The file is part of some images; it is the same there.
        if ours_text != theirs_text {
            fs::write(&file, &text).unwrap();
        }
        let args = Value::record([("B", Value::from("2")), ("C", Value::from("3"))]);
        let arguments = [("tag", ours.as_str().into()), ("push", true.into()), ("args", args)];
        let done = machine.build(context.path(), &arguments).await;
        if let Err(failure) = &done.outcome {
            different.push(format!("{about}: {failure:#?}"));
            continue;
        }
        let files = (pulled(&theirs).await, pulled(&ours).await);
        if files.0 != files.1 {
            different.push(format!("{about}\n{text}{}", unlike(&files.0, &files.1)));
        }
        let configs = (config(&theirs), config(&ours));
        if configs.0 != configs.1 {
            different
                .push(format!("{about}\n{text}theirs: {:#}\nours: {:#}", configs.0, configs.1));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n\n"));
}

/// The paths at which two images differ.
fn unlike(theirs: &BTreeMap<String, Seen>, ours: &BTreeMap<String, Seen>) -> String {
    let paths: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let differ = paths.into_iter().filter(|path| theirs.get(*path) != ours.get(*path));
    let line = |path: &String| {
        format!("{path}\n  theirs: {:?}\n  ours:   {:?}\n", theirs.get(path), ours.get(path))
    };
    differ.map(line).collect()
}
