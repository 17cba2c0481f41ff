//! `pipe list` and `pipe graph`: one file in `outline/` is one case.

use std::path::Path;

use pipe_interpreter::{
    check::Files,
    graph::{Graph, dot, mermaid, svg},
    outline::{Outline, text},
    program::Program,
};

/// A Dockerfile and a definition beside the Pipelinefile.
struct Beside;

impl Files for Beside {
    fn exists(&self, _: &str) -> bool {
        true
    }

    fn read(&self, name: &str) -> Result<String, String> {
        let app = r#"{ "id": "/x", "cmd": "sleep 1", "cpus": 0.1, "mem": 32 }"#;
        Ok(if name.ends_with(".json") { app } else { "FROM scratch" }.to_owned())
    }
}

fn program(path: &Path) -> Program {
    let case = std::fs::read_to_string(path).expect("a case");
    let program = Program::new("Pipelinefile", case, &Beside);
    assert!(program.problems.is_empty(), "{:?}", program.problems);
    program
}

macro_rules! snapshots {
    ($name:literal, $show:expr) => {
        insta::glob!("outline/*.pipe", |path| {
            let shown: String = $show(&program(path));
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!($name, shown);
            });
        });
    };
}

#[test]
fn list_as_text() {
    snapshots!("list", |program| {
        let shown = text(&Outline::of(program, "shop"), 80);
        for line in shown.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        shown
    });
}

#[test]
fn list_as_json() {
    snapshots!("list-json", |program| {
        serde_json::to_string_pretty(&Outline::of(program, "shop")).expect("JSON")
    });
}

#[test]
fn graph_for_mermaid() {
    snapshots!("mermaid", |program| mermaid(&Graph::of(program, "shop")));
}

#[test]
fn graph_for_graphviz() {
    snapshots!("dot", |program| dot(&Graph::of(program, "shop")));
}

#[test]
fn graph_as_svg() {
    snapshots!("svg", |program| svg(&Graph::of(program, "shop")));
}
