//! Text in lines of a width.

/// Documentation as written, broken anew: paragraphs are kept, and lines that begin with a list's
/// mark or blanks.
pub(crate) fn paragraphs(text: &str, width: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut pieces: Vec<String> = Vec::new();
        for line in paragraph.lines() {
            let kept = line.starts_with(['-', '*', ' ', '|']);
            match pieces.last_mut() {
                Some(last) if !kept => {
                    last.push(' ');
                    last.push_str(line);
                }
                _ => pieces.push(line.to_owned()),
            }
        }
        let lines: Vec<String> = pieces.iter().map(|piece| filled(piece, width)).collect();
        out.push(lines.join("\n"));
    }
    out.join("\n\n")
}

fn filled(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in words(text) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(&word);
        column += length;
    }
    out
}

/// The words of a text; what stands between back-ticks is one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for part in text.split(' ') {
        match words.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(part);
            }
            _ if part.is_empty() => continue,
            _ => words.push(part.to_owned()),
        }
        open ^= part.matches('`').count() % 2 == 1;
    }
    words
}

/// Every line with blanks before it, but empty ones.
pub(crate) fn indented(text: &str, blanks: usize) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { " ".repeat(blanks) + line })
        .collect();
    lines.join("\n")
}

/// A call as a person would break it: where it is wider than `width`, an argument a line.
pub(crate) fn call(text: &str, width: usize) -> String {
    let parts = text.find('(').filter(|_| text.ends_with(')')).map(|open| open + 1);
    let Some(open) = parts.filter(|_| text.chars().count() > width) else { return text.to_owned() };
    let arguments = arguments(&text[open..text.len() - 1]);
    let arguments: Vec<String> =
        arguments.iter().map(|argument| format!("  {},\n", argument.trim())).collect();
    format!("{}\n{})", &text[..open], arguments.concat())
}

/// What commas outside of brackets and strings part.
fn arguments(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_usize, false, 0);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_code_stay_together() {
        let text = "One two three\nfour.\n\n- a b c d e f\n- g";
        assert_eq!(paragraphs(text, 10), "One two\nthree\nfour.\n\n- a b c d\ne f\n- g");
        assert_eq!(paragraphs("see `a b c` there", 9), "see\n`a b c`\nthere");
    }

    #[test]
    fn a_wide_call_is_broken_at_its_own_commas() {
        let text = r#"f("a, b", with: { c: 1, d: [2, 3] }, e: "\",")"#;
        let broken = "f(\n  \"a, b\",\n  with: { c: 1, d: [2, 3] },\n  e: \"\\\",\",\n)";
        assert_eq!(call(text, 20), broken);
        assert_eq!(call(text, 200), text);
        assert_eq!(call("git.branch == \"a very long name\"", 10).lines().count(), 1);
    }
}
