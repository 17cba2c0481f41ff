//! `pipe fmt`, by its binary.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

const LOOSE: &str = "edition 2026\nstage   a{\n  $ make\n}\n";
const TIDY: &str = "edition 2026\n\nstage a {\n  $ make\n}\n";

fn pipe(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipe"))
        .arg("fmt")
        .args(arguments)
        .current_dir(folder)
        .env_remove("FORCE_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The files of a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_file_is_found_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Pipelinefile");
    std::fs::write(&path, LOOSE).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o751)).unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();

    let output = pipe(&folder.path().join("below"), &[], "");
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), "../Pipelinefile\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), TIDY);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o751);
    assert_eq!(names(folder.path()), ["Pipelinefile", "below"]);

    let again = pipe(folder.path(), &[], "");
    assert_eq!((again.status.code(), stdout(&again), stderr(&again)), (Some(0), "", ""));
}

#[test]
fn a_file_that_is_tidy_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Pipelinefile");
    std::fs::write(&path, TIDY).unwrap();
    let before = path.metadata().unwrap().modified().unwrap();
    assert!(pipe(folder.path(), &["Pipelinefile"], "").status.success());
    assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn check_shows_the_difference_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pipe"), LOOSE).unwrap();
    std::fs::write(folder.path().join("b.pipe"), TIDY).unwrap();
    let output = pipe(folder.path(), &["--check", "a.pipe", "b.pipe"], "");
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(stdout(&output), @r"
    --- a.pipe
    +++ a.pipe, formatted
    @@ -1,4 +1,5 @@
     edition 2026
    -stage   a{
    +
    +stage a {
       $ make
     }
    ");
    assert_eq!(stderr(&output), "pipe: 1 file is not formatted: run `pipe fmt`\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("a.pipe")).unwrap(), LOOSE);
    assert_eq!(pipe(folder.path(), &["--check", "b.pipe"], "").status.code(), Some(0));
}

#[test]
fn a_dash_is_a_filter() {
    let folder = tempfile::tempdir().unwrap();
    let output = pipe(folder.path(), &["-"], LOOSE);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), TIDY));
    let output = pipe(folder.path(), &["-"], TIDY);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), TIDY));
    let output = pipe(folder.path(), &["--check", "-"], LOOSE);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("--- standard input\n"));
    let output = pipe(folder.path(), &["-"], "stage a {\n");
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
}

#[test]
fn a_file_that_does_not_parse_is_left_alone_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "edition 2026\nstage a {\n";
    std::fs::write(folder.path().join("bad.pipe"), bad).unwrap();
    std::fs::write(folder.path().join("good.pipe"), LOOSE).unwrap();
    std::fs::write(folder.path().join("latin.pipe"), b"# \xe9\n").unwrap();
    let output = pipe(folder.path(), &["bad.pipe", "latin.pipe", "missing.pipe", "good.pipe"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "good.pipe\n");
    let told = stderr(&output);
    assert!(told.contains("bad.pipe:2:9"), "{told}");
    assert!(told.contains("pipe: `latin.pipe` is no UTF-8 text: see line 1\n"), "{told}");
    assert!(told.contains("pipe: `missing.pipe` does not exist\n"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.path().join("bad.pipe")).unwrap(), bad);
    assert_eq!(std::fs::read_to_string(folder.path().join("good.pipe")).unwrap(), TIDY);
    assert_eq!(names(folder.path()), ["bad.pipe", "good.pipe", "latin.pipe"]);
}

#[test]
fn a_link_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("ci")).unwrap();
    let file = folder.path().join("ci/file");
    std::fs::write(&file, LOOSE).unwrap();
    let link = folder.path().join("Pipelinefile");
    std::os::unix::fs::symlink("ci/file", &link).unwrap();
    assert!(pipe(folder.path(), &[], "").status.success());
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), TIDY);
}
