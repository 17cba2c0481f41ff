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
    tools::{Engine, Registry, folder, has, skopeo},
};

/// What stands at a path of an image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
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
    let name = path.strip_prefix(root).unwrap().display().to_string();
    (name, Seen { mode: metadata.mode() & 0o7777, owner, content })
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

/// Instructions behind `FROM scratch`, by what they are about.
const CASES: &[(&str, &str)] = &[
    ("a file to a name", "COPY a.txt /x"),
    ("a file into a folder", "COPY a.txt /x/"),
    ("a file deep down", "COPY a.txt /x/y/z/a"),
    ("a program keeps its mode", "COPY run.sh /bin/run"),
    ("a setuid program", "COPY setuid /bin/setuid"),
    ("several files", "COPY a.txt run.sh /x/"),
    ("a folder's contents", "COPY dir /srv"),
    ("a folder's contents into a new folder", "COPY dir/ /srv/new/"),
    ("a folder with its own mode", "COPY private /p"),
    ("a folder onto an existing one", "COPY dir /srv\nCOPY private /srv"),
    ("everything", "COPY . /all"),
    ("everything to the root", "COPY . /"),
    ("globs", "COPY *.txt /x/"),
    ("globs of folders", "COPY d*/sub* /x/"),
    ("one match is a name", "COPY r*.sh /x"),
    ("a class", "COPY [ab].txt /x/"),
    ("an absolute source", "COPY /a.txt /x"),
    ("a source with dots", "COPY dir/../a.txt /x"),
    ("json", "COPY [\"a.txt\", \"with blank\", \"/x/\"]"),
    ("a link to a file", "COPY link /x"),
    ("a link to a file into a folder", "COPY link /x/"),
    ("a link to a folder", "COPY dirlink /x"),
    ("a file behind a link", "COPY dirlink/f /x"),
    ("an empty folder", "COPY empty /x"),
    ("chown", "COPY --chown=12:34 dir /x/y"),
    ("chmod", "COPY --chmod=0700 dir /q/r\nCOPY --chmod=0640 --chown=3 a.txt /t/"),
    ("chown without a group", "COPY --chown=12 a.txt /new/x"),
    ("later copies win", "COPY a.txt /x\nCOPY b.txt /x"),
    ("a file in a file's folder", "COPY a.txt /d/a\nCOPY b.txt /d/b"),
    ("through a link of the image", "COPY links /\nCOPY a.txt /lib/a"),
    ("onto a link of the image", "COPY links /\nCOPY a.txt /file"),
    ("add", "ADD a.txt dir /x/"),
    ("a working folder", "WORKDIR /srv/app\nCOPY a.txt ."),
    ("a relative working folder", "WORKDIR /srv\nWORKDIR app\nWORKDIR ../b\nCOPY a.txt ./c/"),
    ("a working folder that is there", "COPY --chown=5:6 private /w\nWORKDIR /w"),
    ("env", "ENV A=1 B=\"x y\" C='$A' D=$A E=a\\ b"),
    ("env in the old form", "ENV NAME a value with \"quotes\""),
    ("env in env", "ENV A=1\nENV A=2 B=$A\nENV PATH=/x:$PATH"),
    ("env in a path", "ENV D=/data F=a.txt\nCOPY $F ${D}/x\nWORKDIR $D"),
    ("arg", "ARG A=1\nARG B\nARG C=9\nENV X=$A-$B-$C-${D:-d}"),
    ("env hides arg", "ARG A=1\nENV A=2\nENV X=$A"),
    ("label", "LABEL a=1 \"b c\"=\"d e\" f='g h'\nLABEL a=2"),
    ("label over lines", "LABEL a=1 \\\n  # comment\n  b=2"),
    ("cmd", "CMD [\"/x\", \"$HOME\"]"),
    ("cmd by shell", "CMD exec /x \\\n  --flag $HOME"),
    ("entrypoint", "CMD [\"a\"]\nENTRYPOINT [\"/x\"]"),
    ("entrypoint by shell", "ENTRYPOINT exec /x \"y z\""),
    ("shell", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nCMD echo hi"),
    ("user", "ENV U=12\nUSER $U:34"),
    ("expose", "ENV P=8080\nEXPOSE $P 53/udp 9000-9002"),
    ("volume", "VOLUME /a /b\nVOLUME [\"/c d\"]"),
    ("stopsignal", "STOPSIGNAL SIGQUIT"),
    (
        "healthcheck",
        "HEALTHCHECK --interval=1m30s --timeout=5s --start-period=1s --retries=3 CMD [\"/x\"]",
    ),
    ("healthcheck by shell", "HEALTHCHECK CMD curl -f localhost"),
    ("no healthcheck", "HEALTHCHECK NONE"),
    ("maintainer", "MAINTAINER A B <a@example.com>"),
    (
        "a stage on a stage",
        "ENV A=1\nCOPY a.txt /x\nCMD [\"c\"]\nFROM base\nCOPY b.txt /y\nENTRYPOINT [\"e\"]",
    ),
];

fn context() -> tempfile::TempDir {
    folder(&[
        ("a.txt", 0o644, "a"),
        ("b.txt", 0o640, "b"),
        ("with blank", 0o644, "w"),
        ("run.sh", 0o755, "#!"),
        ("setuid", 0o6755, "s"),
        ("dir/f", 0o600, "f"),
        ("dir/sub/g", 0o644, "g"),
        ("dir/sub/link", 0, "->../f"),
        ("dir/sub2/h", 0o644, "h"),
        ("private/x", 0o644, "x"),
        ("private/", 0o700, ""),
        ("empty/", 0o750, ""),
        ("link", 0, "->dir/f"),
        ("dirlink", 0, "->dir"),
        ("links/usr/lib/l", 0o644, "longer"),
        ("links/lib", 0, "->usr/lib"),
        ("links/file", 0, "->usr/lib/l"),
    ])
}

/// Where Docker's classic builder differs from BuildKit, whose images are the same as ours: it loses
/// setuid, gives the folders that `--chown` makes on its way to root, and knows no `--chmod`.
const CLASSIC: &[&str] = &[
    "a setuid program",
    "everything",
    "everything to the root",
    "chown",
    "chown without a group",
    "chmod",
];

#[tokio::test]
async fn images_are_those_of_buildkit() {
    let tools = ["root", "dockerd", "docker", "docker-registry", "skopeo", "curl", "tar"];
    if has("images_are_those_of_buildkit", &tools) {
        let build = |engine: &Engine, folder: &Path, tag: &str| {
            engine.buildkit(folder, tag, r#"{"B":"2","C":"3"}"#)
        };
        compare(&[], build).await;
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
        compare(CLASSIC, build).await;
    }
}

/// Builds every case with both, and compares.
async fn compare(left_out: &[&str], build: impl Fn(&Engine, &Path, &str) -> Result<(), String>) {
    let (engine, registry, context) = (Engine::shared(), Registry::start(), context());
    let machine = Machine::new();
    let mut different = Vec::new();
    for (number, (about, text)) in CASES.iter().enumerate() {
        if left_out.contains(about) {
            continue;
        }
        let text = format!("FROM scratch AS base\n{text}\nLABEL case=1\n");
        fs::write(context.path().join("Dockerfile"), &text).unwrap();
        let theirs = registry.image(&format!("case{number}:theirs"));
        if let Err(said) = build(&engine, context.path(), &theirs) {
            different.push(format!("{about}: {said}"));
            continue;
        }
        assert!(engine.client(&["push", "-q", &theirs]).status.success());
        let ours = registry.image(&format!("case{number}:ours"));
        let args = Value::record([("B", Value::from("2")), ("C", Value::from("3"))]);
        let arguments =
            [("tag", ours.as_str().into()), ("push", true.into()), ("args", args.clone())];
        let done = machine.build(context.path(), &arguments).await;
        if let Err(failure) = &done.outcome {
            different.push(format!("{about}: {failure:#?}"));
            continue;
        }
        let files = (pulled(&theirs).await, pulled(&ours).await);
        if files.0 != files.1 {
            different.push(format!("{text}theirs: {:#?}\nours: {:#?}", files.0, files.1));
        }
        let configs = (config(&theirs), config(&ours));
        if configs.0 != configs.1 {
            different.push(format!("{text}theirs: {:#}\nours: {:#}", configs.0, configs.1));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n\n"));
}
