//! `pipe init` in repositories of many kinds: one file in `init/` is one repository. After a line
//! `--- name` one of its files begins.

#![allow(clippy::expect_used)]

use std::{
    path::Path,
    process::{Command, Output},
};

/// Lays out the files of a case.
fn lay_out(case: &str, folder: &Path) {
    let files = case.split("--- ").skip(1).filter_map(|part| part.split_once('\n'));
    for (name, text) in files {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, text).expect("written");
    }
}

fn pipe(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipe"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").env("LC_ALL", "C.UTF-8");
    command.output().expect("pipe runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder that is always called `shop`: the name of the pipeline.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("shop");
    std::fs::create_dir(&folder).expect("made");
    (outer, folder)
}

#[test]
fn what_is_written_for_a_repository_checks_clean() {
    insta::glob!("init/*.txt", |path| {
        let case = std::fs::read_to_string(path).expect("a case");
        let (_outer, folder) = folder();
        lay_out(&case, &folder);
        let told = pipe(&folder, &["init"]);
        assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
        let written = std::fs::read_to_string(folder.join("Pipelinefile")).expect("written");
        let check = pipe(&folder, &["check", "--deny-warnings"]);
        // Only what lies in the repository may be wrong.
        let broken = path.file_stem().is_some_and(|name| name == "broken-app");
        let wanted = if broken { Some(2) } else { Some(0) };
        assert_eq!(check.status.code(), wanted, "{written}\n{}", text(&check.stderr));
        let shown = format!("{}{}-----\n{written}", text(&told.stdout), text(&told.stderr));
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("init", shown);
        });
    });
}

#[test]
fn what_is_there_is_never_overwritten() {
    let (_outer, folder) = folder();
    std::fs::write(folder.join("Pipelinefile"), "mine").expect("written");
    let told = pipe(&folder, &["init"]);
    assert_eq!(told.status.code(), Some(2));
    assert!(text(&told.stderr).contains("is there already"), "{}", text(&told.stderr));
    let kept = std::fs::read_to_string(folder.join("Pipelinefile")).expect("there");
    assert_eq!(kept, "mine");
}

#[test]
fn a_dangling_link_is_not_followed() {
    let (outer, folder) = folder();
    let elsewhere = outer.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.join("Pipelinefile")).expect("linked");
    assert_eq!(pipe(&folder, &["init"]).status.code(), Some(2));
    assert!(!elsewhere.exists());
}

#[test]
fn another_folder_can_be_named() {
    let (outer, folder) = folder();
    let told = pipe(outer.path(), &["init", "shop"]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    assert!(folder.join("Pipelinefile").is_file());
    assert_eq!(pipe(outer.path(), &["init", "nowhere"]).status.code(), Some(2));
}
