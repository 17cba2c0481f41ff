//! The book: every example in it is checked, and the reference is what the declarations say.
//!
//! The marker of a code block says what it is: `pipelinefile` a whole file, `pipelinefile part`
//! declarations, `pipelinefile stage` statements of a stage. `wrong CODE` behind it: it is refused
//! with that code, and nothing else is. `not-yet` behind it: it is refused. `pipelinefile file
//! NAME`: a file beside the others of its document.

#![allow(clippy::expect_used, clippy::print_stderr)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use pipe_grammar::{Code, Diagnostic, Severity};
use pipe_interpreter::{
    check::Files,
    docs,
    program::Program,
    report::draw::{self, Look},
};
use pipe_stdlib::{
    connect::CONNECTORS,
    core::{Kind, Type},
    library,
};

fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("the crate lies in the repository").to_path_buf()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The files beside a Pipelinefile.
struct Beside(BTreeMap<String, String>);

impl Files for Beside {
    fn exists(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./");
        let below = format!("{path}/");
        path == "." || self.0.keys().any(|name| name == path || name.starts_with(&below))
    }

    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path.trim_start_matches("./")).cloned().ok_or_else(|| "is a folder".to_owned())
    }
}

/// A block of code in a document.
struct Block {
    /// The line of its fence, from 1.
    line: usize,
    /// What stands behind the fence.
    marker: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (number, line) in document.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(marker)) => {
                let marker = marker.trim().to_owned();
                open = Some((Block { line: number + 1, marker, text: String::new() }, indent));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), None) => {
                let line = line.get(*indent..).unwrap_or("");
                writeln!(block.text, "{line}").expect("a string");
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block never ends");
    blocks
}

/// Files that the examples name.
fn files(documents: &[Block]) -> Beside {
    let app = r#"{ "id": "/shop", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32 }"#;
    let mut files = BTreeMap::from([
        ("Dockerfile".to_owned(), "FROM scratch\n".to_owned()),
        ("marathon.json".to_owned(), app.to_owned()),
        ("services/api/Dockerfile".to_owned(), "FROM scratch\n".to_owned()),
        ("services/api/Dockerfile.release".to_owned(), "FROM scratch AS release\n".to_owned()),
        ("services/web/Dockerfile".to_owned(), "FROM scratch\n".to_owned()),
        ("tools/Makefile".to_owned(), String::new()),
    ]);
    for block in documents {
        if let Some(name) = block.marker.strip_prefix("pipelinefile file ") {
            files.insert(name.to_owned(), block.text.clone());
        }
    }
    Beside(files)
}

/// What is wrong with a block, by its marker; nothing if all is as it should be.
fn judge(block: &Block, files: &Beside) -> Option<String> {
    let mut words = block.marker.split_whitespace();
    if words.next() != Some("pipelinefile") {
        return None;
    }
    let mut words: Vec<&str> = words.collect();
    let text = match words.first() {
        Some(&"stage") => {
            let lines: Vec<String> = block.text.lines().map(|line| format!("  {line}")).collect();
            format!("stage example {{\n{}\n}}\n", lines.join("\n"))
        }
        _ => block.text.clone(),
    };
    let fragment = matches!(words.first(), Some(&"stage" | &"part" | &"file"));
    let name = words.first() == Some(&"file");
    words.drain(..usize::from(fragment) + usize::from(name));
    let program = Program::new("Pipelinefile", text, files);
    // A piece of a file need not use what it shows, nor a file without any stage.
    let fragment = fragment || !block.text.contains("stage ");
    let counts = |problem: &&Diagnostic| !(fragment && problem.code == Code::UNUSED_BINDING);
    let problems: Vec<&Diagnostic> = program.problems.iter().filter(counts).collect();
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let wrong = match words.as_slice() {
        [] if problems.is_empty() => return None,
        ["not-yet"] if errors > 0 => return None,
        ["wrong", code] => {
            let all = problems.iter().all(|problem| problem.code.name() == *code);
            if all && !problems.is_empty() {
                return None;
            }
            format!("should be refused with {code} alone")
        }
        ["not-yet"] => "is said to be not there yet, and is".to_owned(),
        [] => "should be clean".to_owned(),
        other => format!("has a marker that nobody knows: {other:?}"),
    };
    let drawn = program.sources(|sources| draw::problems(&program.problems, sources, Look::PLAIN));
    Some(format!("line {}: {wrong}\n{drawn}", block.line))
}

#[test]
fn every_example_of_the_book_is_as_it_says() {
    let root = repository();
    let mut documents = vec![root.join("README.md")];
    let folder = std::fs::read_dir(root.join("docs")).expect("docs/");
    documents.extend(folder.map(|entry| entry.expect("an entry").path()));
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    let mut wrong = String::new();
    let mut count = 0;
    for path in &documents {
        let blocks = blocks(&read(path));
        let files = files(&blocks);
        count += blocks.iter().filter(|b| b.marker.starts_with("pipelinefile")).count();
        for found in blocks.iter().filter_map(|block| judge(block, &files)) {
            writeln!(wrong, "\n{}, {found}", path.display()).expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 50, "only {count} examples were found");
}

#[test]
fn a_wrong_example_is_found() {
    let files = Beside(BTreeMap::new());
    let judged = |marker: &str, text: &str| {
        let block = Block { line: 1, marker: marker.to_owned(), text: text.to_owned() };
        judge(&block, &files).is_some()
    };
    let whole = "let x = 1\nstage a {\n}\n";
    assert!(judged("pipelinefile", whole), "an unused name in a whole file");
    assert!(!judged("pipelinefile part", whole));
    assert!(!judged("pipelinefile part", "let x = 1\n"));
    assert!(judged("pipelinefile stage", "log(1)\n"));
    assert!(judged("pipelinefile part wrong wrong-type", "let x: int = 1\n"));
    assert!(judged("pipelinefile part not-yet", "let x = 1\n"));
    assert!(judged("pipelinefile party", "let x = 1\n"));
    assert!(!judged("sh", "let x = \n"));
}

#[test]
fn links_inside_the_book_lead_somewhere() {
    let root = repository();
    let folder = std::fs::read_dir(root.join("docs")).expect("docs/");
    let mut documents: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    documents
        .extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| root.join(name)));
    let mut wrong = String::new();
    for path in documents.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = read(path);
        for part in text.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a folder").join(file)
            };
            let found = file.exists()
                && (anchor.is_empty() || headings(&read(&file)).iter().any(|h| h == anchor));
            if !found {
                writeln!(wrong, "{}: {target}", path.display()).expect("a string");
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{wrong}");
}

/// The anchors of headings, as GitHub makes them.
fn headings(document: &str) -> Vec<String> {
    let lines = document.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn the_reference_is_what_the_declarations_say() {
    let committed = read(&repository().join("docs/builtins.md"));
    assert!(
        committed == docs::markdown(),
        "docs/builtins.md is stale: run `cargo run -- docs --markdown > docs/builtins.md`"
    );
}

/// Names that the examples of built-ins use.
const AROUND: &str = "
secret hub_password = env(\"HUB_PASSWORD\")
secret marathon_token = env(\"MARATHON_TOKEN\")
secret token = env(\"TOKEN\")
secret chat_url = env(\"CHAT_URL\")
let image = \"demo:1\"
";

/// Everything is there, and is what its name says.
struct Everything;

impl Files for Everything {
    fn exists(&self, _: &str) -> bool {
        true
    }

    fn read(&self, name: &str) -> Result<String, String> {
        let app = r#"{ "id": "/shop", "cmd": "sleep 1000", "cpus": 0.1, "mem": 32 }"#;
        let json = std::path::Path::new(name).extension().is_some_and(|e| e == "json");
        Ok(if json { app } else { "FROM scratch AS release\n" }.to_owned())
    }
}

/// What is wrong with an example.
fn wrong_example(text: String) -> Option<String> {
    let program = Program::new("Pipelinefile", text, &Everything);
    // An example shows a call, not what becomes of its value.
    let unused = [Code::UNUSED_BINDING, Code::UNUSED_VALUE, Code::PLAIN_SECRET];
    let counts = |problem: &&Diagnostic| !unused.contains(&problem.code);
    program.problems.iter().find(counts)?;
    Some(program.sources(|sources| draw::problems(&program.problems, sources, Look::PLAIN)))
}

#[test]
fn every_example_of_every_built_in_checks() {
    let library = library();
    let all = library.modules().iter().flat_map(|module| module.builtins).chain(library.alone());
    let mut wrong = String::new();
    for builtin in all {
        for example in builtin.examples {
            let statement = match builtin.kind() {
                Kind::Fact if !example.starts_with("let ") => format!("let _value = {example}"),
                _ => (*example).to_owned(),
            };
            let text = match builtin.kind() {
                Kind::Runner => format!("stage example using {example} {{\n  $ true\n}}\n"),
                _ => format!("{AROUND}\nstage example {{\n  {statement}\n}}\n"),
            };
            if let Some(why) = wrong_example(text) {
                writeln!(wrong, "\n{}: {example}\n{why}", builtin.full_name()).expect("a string");
            }
        }
    }
    for connector in CONNECTORS {
        let text = format!("{AROUND}\n{}\n", connector.example);
        if let Some(why) = wrong_example(text) {
            writeln!(wrong, "\nconnect {}\n{why}", connector.name).expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn pages_fit_their_width() {
    let library = library();
    let builtins = library.modules().iter().flat_map(|module| module.builtins);
    let names = builtins.chain(library.alone()).map(|builtin| builtin.full_name());
    let modules = library.modules().iter().map(|module| module.name.to_owned());
    for name in names.chain(modules).chain([String::new()]) {
        let Ok(page) = docs::find(&name) else { panic!("{name}") };
        for line in docs::show(page, 80).lines() {
            // A single long text, or the type of a record, can't be broken.
            let words = line.trim_start().split(' ').count();
            assert!(line.chars().count() <= 80 || words < 8, "{name}: {line}");
        }
    }
}

#[test]
fn every_type_that_a_signature_names_has_a_page() {
    let library = library();
    for module in library.modules() {
        for (name, _) in module.types {
            assert!(matches!(library.named_type(name), Some(Type::Record(_))), "{name}");
            assert!(docs::find(name).is_ok(), "{name}");
        }
    }
}

/// Variables that the examples read.
const VARIABLES: [&str; 3] = ["DOCKER_HUB_USERNAME", "DOCKER_HUB_PASSWORD", "DCOS_TOKEN"];

fn pipe(arguments: &[&str], variables: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipe"));
    command.args(arguments).env("LC_ALL", "C.UTF-8");
    VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    variables.iter().for_each(|name| {
        command.env(name, "swordfish");
    });
    command.output().expect("pipe runs")
}

#[test]
fn every_example_checks_clean_and_plans() {
    let root = repository();
    let mut examples: Vec<PathBuf> = std::fs::read_dir(root.join("examples"))
        .expect("examples/")
        .map(|entry| entry.expect("an entry").path().join("Pipelinefile"))
        .collect();
    examples.sort();
    assert!(examples.len() >= 2);
    // Facts of git need a repository; a copy of the sources without one has none.
    let in_git = root.join(".git").exists();
    if !in_git {
        let all = std::env::var("PIPE_TEST_ALL").is_ok_and(|value| value == "1");
        assert!(!all, "the examples can't be planned outside a git repository");
        eprintln!("left out: every_example_checks_clean_and_plans: plans need a git repository");
    }
    for file in examples {
        let name = file.to_str().expect("a path in UTF-8");
        let ok = |arguments: &[&str], variables: &[&str]| {
            let arguments: Vec<&str> = arguments.iter().copied().chain(["--file", name]).collect();
            let output = pipe(&arguments, variables);
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{arguments:?}\n{why}");
        };
        ok(&["check", "--deny-warnings"], &[]);
        ok(&["list"], &[]);
        ok(&["graph"], &[]);
        if in_git {
            // On this machine without any login, elsewhere with one.
            ok(&["plan", "--local"], &[]);
            let marathon =
                std::fs::read_to_string(&file).expect("read").contains("connect marathon");
            if marathon {
                ok(&["plan"], &VARIABLES);
            }
        }
    }
}
