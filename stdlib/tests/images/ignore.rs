//! `.dockerignore` as Docker's own client reads it.

use std::fs;

use pipe_stdlib::core::Value;

use crate::{
    call::Machine,
    compare::pulled,
    tools::{Engine, Registry, folder, has},
};

/// Texts of `.dockerignore`. Left out are those where Docker's classic client differs from
/// BuildKit, whose rules are followed: `!` with a pattern below a folder that is left out.
const TABLE: &[&str] = &[
    "a",
    "/a",
    "a/",
    "./a",
    "a/b",
    "b",
    "*/b",
    "**/b",
    "**/b/**",
    "a/**",
    "a/**/f",
    "*.txt",
    "**/*.txt",
    "*.t?t",
    "[a-c]*",
    "[^a-c]*",
    "*",
    "*\n!f.txt",
    "*\n!a",
    "**\n!a/b",
    "a\n!a/b",
    "a\n!a/b\na/b/f",
    "!a\na",
    "*.txt\n!f.txt\n*.txt",
    "a/*\n!a/b",
    "a/b/..\n",
    "# a\n  c  \n\n",
    "a\\*b",
    "a*b",
    "x y",
    ".*",
    "**/.*",
    "..",
    ".",
    "**",
    "a/b/f\n!**/f",
];

#[tokio::test]
async fn ignore_files_are_read_as_docker_does() {
    let name = "ignore_files_are_read_as_docker_does";
    if !has(name, &["root", "dockerd", "docker", "docker-registry", "skopeo"]) {
        return;
    }
    let (engine, registry) = (Engine::shared(), Registry::start());
    let context = folder(&[
        ("Dockerfile", 0o644, "FROM scratch\nCOPY k* . /x/\n"),
        ("keep", 0o644, ""),
        ("a/b/f", 0o644, ""),
        ("a/b/g.txt", 0o644, ""),
        ("a/c", 0o644, ""),
        ("a/.h", 0o644, ""),
        ("b/f", 0o644, ""),
        ("c", 0o644, ""),
        ("f.txt", 0o644, ""),
        ("g.txt", 0o644, ""),
        ("a*b", 0o644, ""),
        ("axb", 0o644, ""),
        ("x y", 0o644, ""),
        (".hidden", 0o644, ""),
        ("z/y/x/b/f", 0o644, ""),
    ]);
    let machine = Machine::new();
    let mut different = Vec::new();
    for (number, text) in TABLE.iter().enumerate() {
        // One file is always there, so that there is something to copy.
        fs::write(context.path().join(".dockerignore"), format!("{text}\n!keep\n")).unwrap();
        let docker = registry.image(&format!("ignore{number}:docker"));
        let root = context.path().display().to_string();
        for arguments in [&["build", "-q", "-t", &docker, &root][..], &["push", "-q", &docker]] {
            let output = engine.client(arguments);
            assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let ours = registry.image(&format!("ignore{number}:ours"));
        machine
            .build(context.path(), &[("tag", Value::from(ours.as_str())), ("push", true.into())])
            .await
            .text("id");
        // Whether a folder without files is there differs between Docker's builders.
        let files = async |image: &str| {
            let found = pulled(image).await;
            let is_file = |path: &String| !found.keys().any(|p| p.starts_with(&format!("{path}/")));
            let files = found.iter().filter(|(path, _)| is_file(path));
            let files = files.filter(|(_, seen)| seen.mode & 0o111 == 0);
            files.map(|(path, _)| path.clone()).collect::<Vec<_>>()
        };
        let (wanted, found) = (files(&docker).await, files(&ours).await);
        if wanted != found {
            different.push(format!("{text:?}\ndocker: {wanted:?}\nours:   {found:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
