//! Random commands: whatever the machine accepts means the same with any value as with a
//! harmless word written in its place, in every shell.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use pipe_grammar::shell::Dialect;

use super::compare::{Compared, compare};
use super::shells::{Folder, cases, shells};
use super::template::Command;
use super::values::value;

/// A piece of a word, with more inside.
fn piece() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => Just("#{v}".to_owned()),
        2 => prop::sample::select(vec![
            "a", "E", "\\\\", "\\'", "\\\"", "\\$", "\\`", "$U2", "${U:-x}", "=", "#", "\\\n",
            "$E", "}", "{", ",", "]", "[", "$((1+2))", "-", "$", "''", "\"\"", "'it\"s'", "\"it's\"",
            "'$(#'", "\"#\"", "`:`", "$'x'", "1", "%", "+", ":", "$(:)", "${E}", "\\#", "é",
        ]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let some = prop::collection::vec(inner.clone(), 0..4).prop_map(|pieces| pieces.concat());
        prop_oneof![
            4 => some.clone(),
            2 => some.clone().prop_map(|text| format!("\"{text}\"")),
            2 => some.clone().prop_map(|text| format!("'{text}'")),
            2 => some.clone().prop_map(|text| format!("$(W {text})")),
            1 => some.clone().prop_map(|text| format!("\"$(W {text})\"")),
            1 => some.clone().prop_map(|text| format!("${{U:-{text}}}")),
            1 => some.clone().prop_map(|text| format!("\"${{U:-{text}}}\"")),
            1 => some.clone().prop_map(|text| format!("${{E#{text}}}")),
            1 => some.clone().prop_map(|text| format!("`W {text}`")),
            1 => some.clone().prop_map(|text| format!("$(case x in x) W {text};; esac)")),
            1 => some.clone().prop_map(|text| format!("$(W {text} # it's )\n)")),
            1 => some.clone().prop_map(|text| format!("$((1+{text}))")),
            1 => some.clone().prop_map(|text| format!("$(C <<E\n{text}\nE\n)")),
            1 => some.clone().prop_map(|text| format!("\"$(C <<\\E\n{text}\nE\n)\"")),
            1 => some.prop_map(|text| format!("$'{text}'")),
        ]
    })
}

/// A command, with more inside.
fn command() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(piece(), 1..4).prop_map(|words| words.join(" ")).boxed();
    let simple = prop_oneof![
        6 => words.clone().prop_map(|words| format!("W {words}")),
        1 => words.clone().prop_map(|words| format!("W x{words}")),
        1 => words.clone().prop_map(|words| format!("X={words}; W \"$X\"")),
        1 => words.clone().prop_map(|words| format!("C <<E\n{words}\nE\n:")),
        1 => words.clone().prop_map(|words| format!("C <<-E; W b\n\t{words}\n\tE\n:")),
        1 => words.clone().prop_map(|words| format!("C <<'E'\n{words}\nE\n:")),
        1 => words.clone().prop_map(|words| format!("W a <<E b\n{words}\nE\n:")),
        1 => words.clone().prop_map(|words| format!("W a # {words}\n:")),
        1 => words.clone().prop_map(|words| format!("a=({words})")),
        1 => words.clone().prop_map(|words| format!("C <<<{words}")),
        1 => words.clone().prop_map(|words| format!("[[ {words} ]] || :")),
        1 => words.prop_map(|words| format!("eval {words}")),
    ];
    simple.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}; {b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}\n{b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("{{ {a}; }}")),
            1 => inner.clone().prop_map(|a| format!("if :; then {a}; fi")),
            1 => inner.clone().prop_map(|a| format!("f() {{ {a}; }}; f")),
            1 => (inner.clone(), piece())
                .prop_map(|(a, w)| format!("case {w} in no) W no;; *) {a};; esac")),
            1 => (inner, piece()).prop_map(|(a, w)| format!("for x in {w}; do {a}; done")),
        ]
    })
}

/// A command of which a piece may be missing, doubled or foreign.
fn mutated() -> impl Strategy<Value = String> {
    let stray = prop::sample::select(vec![
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "(",
        ")",
        "{",
        "}",
        "#",
        "\n",
        " ",
        "$(",
        "${U:-",
        "<<E\n",
        "\nE\n",
        "#{v}",
        ";",
        "|",
        "&&",
        "((",
        "))",
        "case x in x)",
        ";;",
        "esac",
        "\\\n",
        "<<-E",
        "$((",
        "[",
        "]",
        "=",
        "!",
        "if",
        "in",
        "<(",
        "\t",
        "$#",
        "${#",
        "[[",
        "]]",
        "@(",
    ]);
    let change = (any::<prop::sample::Index>(), 0usize..3, stray);
    (command(), prop::collection::vec(change, 0..3)).prop_map(|(mut text, changes)| {
        for (index, cut, stray) in changes {
            let places: Vec<usize> = text
                .char_indices()
                .map(|(at, _)| at)
                .filter(|at| !inside_hole(&text, *at))
                .collect();
            let Some(&at) = places.get(index.index(places.len().max(1))) else { continue };
            let end = (at + cut).min(text.len());
            let whole = text.is_char_boundary(end) && !text[at..end].contains(['#', '{', 'v', '}']);
            text.replace_range(at..if whole { end } else { at }, stray);
        }
        text
    })
}

fn inside_hole(text: &str, at: usize) -> bool {
    text.match_indices("#{v}").any(|(start, hole)| start < at && at < start + hole.len())
}

/// Gives each hole a number of its own; what only looks like a hole is none.
fn number(text: &str) -> String {
    let mut numbered = String::new();
    for (index, piece) in text.split("#{v}").enumerate() {
        if index > 0 {
            numbered += &format!("#{{v{}}}", index - 1);
        }
        numbered += &piece.replace("#{", "# {");
    }
    numbered
}

#[test]
fn what_is_accepted_means_the_same_with_any_value() {
    let folder = Folder::new();
    let shells = shells("what_is_accepted_means_the_same_with_any_value");
    let seed = std::env::var("PIPE_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.unwrap_or(7); 32]);
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut compared = 0;
    let mut told_something = 0;
    let wanted = if shells.is_empty() { 0 } else { cases(300) };
    let mut failures = Vec::new();
    while compared < wanted {
        let source = number(&mutated().new_tree(&mut runner).unwrap().current());
        let command = Command::new(&source);
        // `$$` is another number in every process, and what runs behind `&` may come any time.
        let fickle = source.contains("$$") || source.contains("${$");
        if command.kinds.is_empty() || fickle || source.replace("&&", "").contains('&') {
            continue;
        }
        let values: Vec<Vec<u8>> = (0..command.kinds.len())
            .map(|_| value().new_tree(&mut runner).unwrap().current())
            .collect();
        for &shell in &shells {
            match compare(&command, shell, &folder, &values) {
                Ok(Compared::Refused(_) | Compared::Lost) => continue,
                Ok(Compared::Same { told }) => told_something += usize::from(told),
                Err(difference) => failures.push(difference),
            }
            compared += 1;
        }
    }
    assert!(failures.is_empty(), "{} of {compared}:\n{}", failures.len(), failures.join("\n"));
    // Most of what is accepted also runs, or the comparison would say nothing.
    assert!(told_something * 2 >= compared, "{told_something} of {compared} told something");
}

#[test]
fn the_dialects_lower_alike() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases(2_000) {
        let source = number(&mutated().new_tree(&mut runner).unwrap().current());
        let command = Command::new(&source);
        let (bash, sh) = (command.scan(Dialect::Bash), command.scan(Dialect::Sh));
        if bash.refusals.is_empty() && sh.refusals.is_empty() {
            assert_eq!(command.lower(&bash, &[]), command.lower(&sh, &[]), "{source:?}");
        }
    }
}
