//! Files with exactly one mistake each, in `mistakes/`, and files with none, in `good/`.
//!
//! The first line of a mistake says what has to be found, and nothing besides:
//! `# expect: CODE [FILE:]LINE:COLUMN [@FILE:LINE:COLUMN] [words]`. The words stand in the message, in
//! a label or in the help; `@` is where a note about another file points.

mod beside;

use std::{fmt::Write as _, path::Path};

use beside::cut;
use pipe_grammar::{Diagnostic, Sources};
use pipe_interpreter::{
    program::Program,
    report::draw::{self, Look},
};

/// The cases of a folder beside this file, by name.
fn cases(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases: Vec<(String, String)> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a case"))
        })
        .collect();
    cases.sort();
    cases
}

/// What a case expects.
struct Expected<'a> {
    code: &'a str,
    place: &'a str,
    other: Option<&'a str>,
    words: &'a str,
}

fn expected(case: &str) -> Expected<'_> {
    let line = case.lines().next().and_then(|line| line.strip_prefix("# expect: "));
    let line = line.expect("a first line `# expect: CODE LINE:COLUMN …`");
    let (code, rest) = line.split_once(' ').expect("a code and a place");
    let (place, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (other, words) = match rest.strip_prefix('@') {
        Some(rest) => {
            let (other, words) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some(other), words)
        }
        None => (None, rest),
    };
    Expected { code, place, other, words }
}

/// What is wrong with the only message; nothing, if it is the expected one.
fn differs(expected: &Expected, problem: &Diagnostic, sources: &Sources) -> Option<String> {
    if problem.code.name() != expected.code {
        return Some(format!("its code is {}", problem.code));
    }
    let place = problem.span().map(|span| sources.place(span)).unwrap_or_default();
    if place != expected.place && place != format!("Pipelinefile:{}", expected.place) {
        return Some(format!("its place is {place}"));
    }
    if let Some(other) = expected.other {
        let places = problem.related.iter().filter_map(Diagnostic::span);
        let places: Vec<String> = places.map(|span| sources.place(span)).collect();
        if !places.iter().any(|place| place == other) {
            return Some(format!("its places in other files are {places:?}"));
        }
    }
    let all = std::iter::once(problem).chain(&problem.related);
    let mut texts = all.flat_map(|problem| {
        let labels = problem.labels.iter().map(|label| label.text.as_str());
        labels.chain([problem.message.as_str()]).chain(problem.help.iter().map(String::as_str))
    });
    (!texts.any(|text| text.contains(expected.words)))
        .then(|| format!("nothing in it says {:?}", expected.words))
}

#[test]
fn each_mistake_gives_its_one_message() {
    let cases = cases("mistakes");
    assert!(cases.len() >= 200, "{} cases", cases.len());
    let mut wrong = String::new();
    for (name, case) in &cases {
        let expected = expected(case);
        let (text, files) = cut(case.trim_end());
        let program = Program::new("Pipelinefile", text, &files);
        let problems = &program.problems;
        let why = program.sources(|sources| match problems.as_slice() {
            [problem] => differs(&expected, problem, sources),
            others => Some(format!("there are {} messages", others.len())),
        });
        if let Some(why) = why {
            let drawn = program.sources(|sources| draw::problems(problems, sources, Look::PLAIN));
            let first = case.lines().next().unwrap_or_default();
            writeln!(wrong, "\n== {name}: {why}\n{first}\n{drawn}").expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn good_files_have_no_message() {
    let cases = cases("good");
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut wrong = String::new();
    for (name, case) in &cases {
        let (text, files) = cut(case.trim_end());
        let program = Program::new("Pipelinefile", text, &files);
        if !program.problems.is_empty() {
            let drawn =
                program.sources(|sources| draw::problems(&program.problems, sources, Look::PLAIN));
            writeln!(wrong, "\n== {name}\n{drawn}").expect("a string");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
