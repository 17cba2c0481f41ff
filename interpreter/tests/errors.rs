//! The pages of `docs/errors`: each code has one, and its examples show what they say.
//!
//! A page has a `wrong` example, which gives this code and no other, and a `repaired` one, which
//! gives nothing; or one that `runs`: it has no mistake, the code arises when it is run.

mod beside;

use std::{collections::BTreeMap, path::Path, process::Command};

use beside::cut;
use pipe_grammar::{Code, diagnostic::CODES};
use pipe_interpreter::program::Program;

/// Codes whose examples need a part of the library that does not exist yet. Each of them must fail
/// here, so that none stays in the list.
const LATER: &[&str] = &[];

/// Pages without an example: there is none.
const PLAIN: &[&str] = &["internal"];

/// The pages by name.
fn pages() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    let entries = std::fs::read_dir(folder).expect("the folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a page"))
        })
        .collect()
}

/// The examples of a page: what is behind `pipelinefile`, and the text.
fn examples(page: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(mark) = line.strip_prefix("```pipelinefile ") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            examples.push((mark.to_owned(), text.join("\n")));
        }
    }
    examples
}

/// The codes that an example gives, each once.
fn codes(example: &str) -> Vec<&'static str> {
    let (text, files) = cut(example);
    let program = Program::new("Pipelinefile", text, &files);
    let mut codes: Vec<&str> = program.problems.iter().map(|p| p.code.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// What is wrong with the examples of a page; nothing if they show what they say.
fn wrong(name: &str, page: &str) -> Option<String> {
    let examples = examples(page);
    let marks: Vec<&str> = examples.iter().map(|(mark, _)| mark.as_str()).collect();
    match marks.as_slice() {
        ["wrong", "repaired"] | ["runs"] => {}
        [] if PLAIN.contains(&name) => {}
        other => return Some(format!("its examples are {other:?}")),
    }
    examples.iter().find_map(|(mark, text)| {
        let expected: &[&str] = if mark == "wrong" { &[name] } else { &[] };
        let found = codes(text);
        (found != expected).then(|| format!("the example that is {mark} gives {found:?}"))
    })
}

#[test]
fn each_code_has_a_page_and_each_page_a_code() {
    let pages = pages();
    let without: Vec<&str> = CODES
        .iter()
        .map(|(code, _)| code.name())
        .filter(|code| !pages.contains_key(*code))
        .collect();
    assert!(without.is_empty(), "codes without a page in docs/errors: {without:?}");
    let strangers: Vec<&String> = pages.keys().filter(|name| Code::find(name).is_none()).collect();
    assert!(strangers.is_empty(), "pages without a code: {strangers:?}");
    for (name, page) in &pages {
        assert!(page.starts_with(&format!("# {name}\n\n")), "{name}: the title");
        // Examples may be as long as they are.
        let prose = page.split("```").step_by(2).flat_map(str::lines);
        let long: Vec<&str> = prose.filter(|line| line.chars().count() > 100).collect();
        assert!(long.is_empty(), "{name}: {long:?}");
    }
}

#[test]
fn examples_show_what_they_say() {
    let mut all = Vec::new();
    for (name, page) in &pages() {
        match (wrong(name, page), LATER.contains(&name.as_str())) {
            (Some(why), false) => all.push(format!("{name}: {why}")),
            (None, true) => all.push(format!("{name}: is fine now: take it out of `LATER`")),
            _ => {}
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

fn explain(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_pipe"))
        .arg("explain")
        .args(arguments)
        .output()
        .expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn a_page_is_shown_without_its_markdown() {
    let (shown, _, status) = explain(&["stray-bracket"]);
    insta::assert_snapshot!("explain", shown);
    assert_eq!(status, Some(0));
    for (code, _) in CODES {
        let (shown, _, status) = explain(&[code.name()]);
        assert!(shown.starts_with(code.name()) && !shown.contains("```"), "{shown}");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn alone_it_lists_the_codes() {
    let (shown, _, status) = explain(&[]);
    assert_eq!(status, Some(0));
    for (code, about) in CODES {
        let line = shown.lines().find(|line| line.trim_start().starts_with(code.name()));
        assert!(line.is_some_and(|line| line.ends_with(about)), "{code}");
    }
}

#[test]
fn a_code_that_is_none_is_a_mistake_of_the_command_line() {
    let (shown, said, status) = explain(&["unknwon-name"]);
    assert_eq!(shown, "");
    assert_eq!(said, "pipe: no code is called `unknwon-name`\n  did you mean `unknown-name`?\n");
    assert_eq!(status, Some(2));
}
