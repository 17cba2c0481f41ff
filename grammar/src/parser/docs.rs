//! Comments as documentation.

/// Whether a text holds nothing but blanks and comments.
pub(super) fn is_silent(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .lines()
        .all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#'))
}

/// The comment lines directly above the line that `start` stands on, without `#` and one blank.
/// They speak of what begins the line: for anything behind it there are none.
pub(super) fn above(text: &str, start: usize) -> String {
    let line = text[..start].rfind('\n').map_or(0, |n| n + 1);
    if !text[line..start].trim_start_matches('\u{feff}').trim_start().is_empty() {
        return String::new();
    }
    let mut lines: Vec<&str> = Vec::new();
    for above in text[..line].lines().rev() {
        match above.trim_start_matches('\u{feff}').trim_start().strip_prefix('#') {
            Some(comment) => lines.push(comment),
            None => break,
        }
    }
    lines.reverse();
    join(&lines)
}

/// The comment lines at the begin of a text.
pub(super) fn leading(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_start)
        .skip_while(|line| line.is_empty())
        .map_while(|line| line.strip_prefix('#'))
        .collect();
    join(&lines)
}

fn join(lines: &[&str]) -> String {
    let lines: Vec<&str> =
        lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n")
}
