//! The marks that an unresolved merge leaves in a file.

use std::borrow::Cow;

/// The text with the marks and the second side of each conflict blanked, byte for byte, so that
/// the rest can be read as if the first side had won; and where the conflicts are.
pub(super) fn blank(text: &str) -> (Cow<'_, str>, Vec<std::ops::Range<usize>>) {
    let mut found = Vec::new();
    let mut bytes: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(start) = line_starting(text, at, "<<<<<<< ") {
        let Some(close) = line_starting(text, start, ">>>>>>> ") else { break };
        let end = line_end(text, close);
        let middle = line_starting(&text[..close], start, "=======").unwrap_or(close);
        // diff3 style shows the common ancestor too.
        let ours = line_starting(&text[..middle], start, "||||||| ").unwrap_or(middle);
        let bytes = bytes.get_or_insert_with(|| text.as_bytes().to_vec());
        for range in [start..line_end(text, start), ours..end] {
            for byte in &mut bytes[range] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        found.push(start..end);
        at = end;
    }
    let blanked = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    (blanked.map_or(Cow::Borrowed(text), Cow::Owned), found)
}

fn line_starting(text: &str, from: usize, mark: &str) -> Option<usize> {
    if from == 0 && text.starts_with(mark) {
        return Some(0);
    }
    let rest = &text[from..];
    rest.match_indices(mark).map(|(at, _)| from + at).find(|at| text[..*at].ends_with('\n'))
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |n| from + n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_side_is_left() {
        let text = "a\n<<<<<<< HEAD\nb\n=======\nü\n>>>>>>> x\nc\n";
        let (blanked, found) = blank(text);
        assert_eq!(found, vec![2..37]);
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_text_without_marks_is_not_copied() {
        assert!(matches!(blank("a <<<<<<< b"), (Cow::Borrowed(_), found) if found.is_empty()));
    }
}
