//! What a layout must not change.

use pipe_grammar::{Severity, SourceId, comments, format, parse, tree::ItemKind};

/// Formats a text and asserts what holds for every formatted text.
pub fn formatted(name: &str, text: &str) -> String {
    let id = SourceId::default();
    let out = match format(id, text) {
        Ok(out) => out,
        Err(problems) => panic!("{name} is refused: {problems:#?}\n{text}"),
    };
    let again = format(id, &out)
        .unwrap_or_else(|e| panic!("{name}: the output is refused: {e:#?}\n{text}\n-----\n{out}"));
    let both = || format!("{name}\n{text}\n-----\n{out}");
    assert!(out == again, "not stable: {}\n{}", difference(&out, &again), both());
    assert_eq!(comment_texts(text), comment_texts(&out), "comments: {}", both());
    let (before, after) = (tree(text), tree(&out));
    assert!(before == after, "the tree changes: {}\n{}", difference(&before, &after), both());
    assert_eq!(layout_mistakes(&out), Vec::<String>::new(), "{}", both());
    out
}

/// The first lines that differ, with those around them.
fn difference(left: &str, right: &str) -> String {
    let same = left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count();
    let around = |text: &str| -> String {
        let lines = text.lines().skip(same.saturating_sub(3)).take(8);
        lines.map(|line| format!("{line}\n")).collect()
    };
    format!("line {}\n{}--- became\n{}", same + 1, around(left), around(right))
}

fn comment_texts(text: &str) -> Vec<&str> {
    comments(text).into_iter().map(|range| &text[range]).collect()
}

/// The tree without places: its declarations and expressions, a line each.
pub fn tree(text: &str) -> String {
    let parsed = parse(SourceId::default(), text);
    let errors = parsed.problems.iter().filter(|p| p.severity == Severity::Error).count();
    assert_eq!(errors, 0, "{text}\n{:#?}", parsed.problems);
    // The formatter writes the edition where there is none.
    let items = parsed.file.items.iter().filter(|i| !matches!(i.kind, ItemKind::Edition(_)));
    let items = items.map(|item| format!("{:?} # {:?}\n", item.kind, item.docs));
    let expressions = parsed.file.expressions.iter().map(|expr| format!("{:?}\n", expr.kind));
    without_places(&items.chain(expressions).collect::<String>())
}

/// Takes spans out of what `Debug` wrote, and joins texts that only places kept apart: a text is
/// cut at each line end, and a CRLF is a piece of its own.
fn without_places(dump: &str) -> String {
    let mut out = String::new();
    let mut rest = dump;
    let mut quoted = false;
    while let Some(next) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if quoted && next == '\\' {
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if !quoted && digits > 0 && rest[digits..].starts_with("..") {
            let behind = &rest[digits + 2..];
            rest = behind.trim_start_matches(|c: char| c.is_ascii_digit());
            out.push('_');
        } else {
            quoted ^= next == '"';
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out.replace("\", _), Text(\"", "")
}

/// Rules that hold for the lines of every output, outside of texts and commands.
fn layout_mistakes(out: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    if !out.ends_with('\n') || out.starts_with('\n') {
        mistakes.push("the file begins or ends with the wrong line".to_owned());
    }
    // A text or a command may hold anything.
    let free = out.contains("\"\"\"") || out.contains("\\\n") || out.contains("\\ \n");
    if !free {
        let lines: Vec<&str> = out.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            let indent = line.len() - code.len();
            if line.trim_end() != *line || indent % 2 != 0 || line[..indent].contains('\t') {
                mistakes.push(format!("blanks of line {}: {line:?}", number + 1));
            }
            if line.is_empty() && lines.get(number + 1).is_none_or(|next| next.is_empty()) {
                mistakes.push(format!("empty lines at line {}", number + 1));
            }
        }
    }
    mistakes
}

#[test]
fn the_tree_is_compared_without_places_only() {
    assert_eq!(tree("let a = [1,2]"), tree("\n\nlet  a = [\n 1\n 2\n]\n"));
    assert_eq!(
        tree("let a = \"\"\"\r\n x\r\n y\r\n \"\"\""),
        tree("let a = \"\"\"\n x\n y\n \"\"\"")
    );
    assert_ne!(tree("let a = \"1..2\""), tree("let a = \"1..3\""));
    assert_ne!(tree("let a = [1,2]"), tree("let a = [2,1]"));
    assert_ne!(tree("# doc\nlet a = 1"), tree("# doc\n\nlet a = 1"));
    assert_ne!(tree("let a = (b)"), tree("let a = b"));
    assert_ne!(tree("always $ a b"), tree("always $ a  b"));
}
