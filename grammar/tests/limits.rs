//! Long, deep and broken files: no overflow, no panic, and no time that grows faster than the text.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use pipe_grammar::{SourceId, parse};

/// What is repeated until it fills a file. Each line is a habit, a mistake or a nest that once had
/// a chance to be read again and again.
const REPEATED: &[&str] = &[
    "[",
    "{",
    "(",
    "]",
    "}",
    ")",
    "\"",
    "'",
    "\"\"\"",
    "\"\"\"\n",
    "\"#{",
    "#{",
    "$(",
    "let a = $(",
    "let a = $(x \"$(\n",
    "\\",
    "“",
    "（",
    "\u{a0}",
    "\t",
    "\r\n",
    "\u{feff}",
    "# a comment\n",
    "a",
    "a ",
    "a.b",
    "1",
    "1_",
    "- ",
    "not ",
    "a ?? ",
    "a + ",
    "if a then ",
    "if a then b else ",
    "stage a {\n",
    "stage a {\n  if b {\n",
    "stage a {\n}\n",
    "stage a\n",
    "stage a\n  when b\n",
    "stage a { $ make }\n",
    "if a {\n",
    "if a { ",
    "} else {\n",
    "step \"a\" {\n",
    "for a in b {\n",
    "parallel {\n",
    "fn a(b: string = \"\") {\n",
    "let a = [\n",
    "let a = {\n  b: 1\n",
    "let a = f(b: [{ c: \"#{d}\" }])\n",
    "let a =\n",
    "let a = \"x\nlet b = 1\n",
    "param a: \"b\" | ",
    "type T = { a: list<",
    "type T = ",
    "on failure {\n",
    "$ make\n",
    "  $ echo #{a} \\\n",
    "a && b\n",
    "- item\n",
    "stages {\n",
    "${{ a }}",
    "FROM busybox\n",
    "<<<<<<< a\n",
    "<<<<<<< a\n=======\n>>>>>>> b\n",
    "import \"a\" as ",
    "for a in b for ",
    "[a for a in ",
    "x(a: ",
    "retry 2 every 5s ",
    "env { A: \"b\" } ",
    "\0",
];

/// Reads a text, and asserts that each message stands in it.
fn read(text: &str) -> Duration {
    let start = Instant::now();
    let parsed = parse(SourceId::default(), text);
    let took = start.elapsed();
    for problem in &parsed.problems {
        for label in &problem.labels {
            let Range { start, end } = label.span.start as usize..label.span.end as usize;
            assert!(text.get(start..end).is_some(), "{start}..{end}: {problem:?}");
        }
    }
    took
}

fn filled(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len() + 1)
}

#[test]
fn time_grows_with_the_text_whatever_is_in_it() {
    for part in REPEATED {
        let best =
            |bytes: usize| (0..3).map(|_| read(&filled(part, bytes))).min().unwrap_or_default();
        let (small, large) = (best(1 << 15), best(1 << 18));
        // Eight times the text; a short time says more of the machine than of the text.
        let most = (small * 8 * 4).max(Duration::from_millis(300));
        assert!(large < most, "{part:?}: {small:?}, then {large:?}");
    }
}

#[test]
fn ten_megabytes_of_stages_are_read() {
    let stage = include_str!("format/everything.pipe").replace("edition 2026", "");
    let text = filled(&stage, 10 << 20);
    let start = Instant::now();
    let parsed = parse(SourceId::default(), &text);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(parsed.problems, []);
}
