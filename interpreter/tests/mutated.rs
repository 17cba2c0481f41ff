//! Files that were damaged at random: whatever is in them, each message has a place in its text,
//! and nothing panics or takes long.

mod beside;

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use beside::cut;
use pipe_grammar::{Diagnostic, Severity, SourceId, format, parse};
use pipe_interpreter::{
    program::Program,
    report::draw::{self, Look},
};
use proptest::{collection::vec, prelude::*};

/// So many files are tried at least; `PROPTEST_CASES` asks for more.
const CASES: u32 = 1500;

/// What is put into files.
const PARTS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "\"\"\"",
    "#{",
    "\\#{",
    "$(",
    "$ ",
    "#",
    "\n",
    "\r\n",
    "\t",
    "\\",
    ",",
    ".",
    "..",
    ":",
    "=",
    "==",
    "??",
    "->",
    "<",
    ">",
    "|",
    "&&",
    "||",
    ";",
    "-",
    " - ",
    "*",
    "/",
    "...",
    "${",
    "${{ x }}",
    "`",
    "<<E\n",
    "|| true",
    "> out",
    "& ",
    "if ",
    "then ",
    "else ",
    "for ",
    "in ",
    "not ",
    "and ",
    "or ",
    "matches ",
    "let x = ",
    "output o = ",
    "stage s ",
    "stage s {\n",
    "fn f(",
    "type T = ",
    "param p: ",
    "secret s = ",
    "connect docker(",
    "import \"a\"",
    "edition 2026\n",
    "edition 2099\n",
    "on failure ",
    "always ",
    "parallel ",
    "step \"s\" ",
    "retry 2 ",
    "timeout 5m ",
    "env { A: \"b\" } ",
    "cd \"d\" ",
    "may_fail ",
    "hold 1m every 1s ",
    "when ",
    "needs a ",
    "after nothing ",
    "using ",
    "approve \"x\" ",
    "lock \"l\" ",
    "workspace own ",
    "return ",
    "fail \"x\"",
    "skip \"x\"",
    "null",
    "true",
    "1_0",
    "0.1",
    "1h30m",
    "128MiB",
    "9223372036854775807",
    "99999999999999999999",
    "“",
    "”",
    "–",
    "\u{a0}",
    "\u{feff}",
    "（",
    "é",
    "🚢",
    "\0",
    "\u{202e}",
    "<<<<<<< a\n",
    "=======\n",
    ">>>>>>> b\n",
    "FROM x\n",
    "def x = 1\n",
    "git.commit",
    "docker.build(\".\")",
    "marathon.deploy(",
    "\"marathon.json\"",
    "list<",
    "map<int>",
    "x?.y",
    "a.b.c",
    "[x for x in y]",
    "@",
    "%",
    "~",
    "^",
    "!",
    "?",
];

/// The cases of the other tests, which hold every construct and many mistakes.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [
        "interpreter/tests/good",
        "interpreter/tests/mistakes",
        "interpreter/tests/check",
        "grammar/tests/parse",
        "grammar/tests/errors",
    ] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder of cases");
        files.extend(entries.map(|entry| entry.expect("a case").path()));
    }
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

/// One change: what is done, where, how far, and with what.
type Change = (u8, u16, u8, u16);

fn change(text: &mut String, (kind, place, length, part): Change, other: &str) {
    let at = |text: &str, place: usize| {
        let mut at = place.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = at(text, usize::from(place) * (text.len() + 1) / 65_536);
    let end = at(text, start + usize::from(length));
    let part = usize::from(part);
    match kind % 8 {
        0 => text.replace_range(start..end, ""),
        1 => {
            let copy = text[start..end].to_owned();
            text.insert_str(end, &copy);
        }
        2..=4 => text.insert_str(start, PARTS[part % PARTS.len()]),
        5 => text.truncate(end),
        6 => {
            let from = at(other, part % (other.len() + 1));
            let to = at(other, from + usize::from(length));
            text.insert_str(start, &other[from..to]);
        }
        _ => {
            // A line goes elsewhere.
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            if lines.len() > 1 {
                let line = lines.remove(usize::from(place) % lines.len());
                let to = part % (lines.len() + 1);
                lines.insert(to, line);
                *text = lines.concat();
            }
        }
    }
}

/// Everything that `pipe check` and `pipe fmt` do with a text.
fn looked_at(text: &str) {
    let start = Instant::now();
    let (main, files) = cut(text);
    let program = Program::new("Pipelinefile", main.clone(), &files);
    let again = Program::new("Pipelinefile", main.clone(), &files);
    assert_eq!(program.problems, again.problems, "the messages differ");
    program.sources(|sources| {
        let stands = |problem: &Diagnostic| {
            for label in &problem.labels {
                let text = &sources.get(label.span.source).text;
                let range = label.span.start as usize..label.span.end as usize;
                assert!(text.get(range).is_some(), "no place in the text: {problem:?}");
            }
            assert!(problem.span().is_some(), "without a place: {problem:?}");
        };
        program.problems.iter().flat_map(|p| p.related.iter().chain([p])).for_each(stands);
        let drawn = draw::problems(&program.problems, sources, Look::PLAIN);
        assert_eq!(drawn.is_empty(), program.problems.is_empty());
    });
    let id = SourceId::default();
    if let Ok(tidy) = format(id, &main) {
        let problems = parse(id, &tidy).problems;
        assert!(
            !problems.iter().any(|p| p.severity == Severity::Error),
            "what was formatted is wrong: {problems:?}"
        );
        assert_eq!(format(id, &tidy).as_ref(), Ok(&tidy), "not stable");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(CASES),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_files_are_read(
        files in (any::<u16>(), any::<u16>()),
        changes in vec(any::<Change>(), 1..8),
    ) {
        static CORPUS: OnceLock<Vec<String>> = OnceLock::new();
        let corpus = CORPUS.get_or_init(corpus);
        let pick = |place: u16| &corpus[usize::from(place) % corpus.len()];
        let mut text = pick(files.0).clone();
        for one in changes {
            change(&mut text, one, pick(files.1));
        }
        looked_at(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..400)) {
        looked_at(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words_are_read(words in vec(any::<u16>(), 0..60)) {
        let text: String = words.iter().map(|word| PARTS[usize::from(*word) % PARTS.len()]).collect();
        looked_at(&text);
    }
}
