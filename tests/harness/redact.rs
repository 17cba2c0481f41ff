//! What differs from run to run, made the same. The one place that does it.

/// Replaces ids, times, folders and ports.
#[must_use]
pub fn redact(text: &str, folder: &std::path::Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[FOLDER]");
    let text = times(&text);
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(&redact_line(line));
        out.push('\n');
    }
    out
}

/// `2026-11-25T15:33:30.38Z`, `2026-11-25 15:33`, `"millis": 12`
fn times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("20") {
        let shape: String =
            rest[at..].chars().take(16).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if shape == "0000-00-00T00:00" || shape == "0000-00-00 00:00" {
            let end = rest[16..].find(|c: char| !(c.is_ascii_digit() || ":.Z".contains(c)));
            out.push_str("[AT]");
            rest = &rest[end.map_or(rest.len(), |end| 16 + end)..];
        } else {
            out.push_str("20");
            rest = &rest[2..];
        }
    }
    out.push_str(rest);
    let parts: Vec<&str> = out.split("\"millis\": ").collect();
    let cut = |part: &&str| part.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
    let first = parts.first().copied().unwrap_or("").to_owned();
    let rest = parts.iter().skip(1).map(|part| format!("\"millis\": [MS]{}", cut(part)));
    std::iter::once(first).chain(rest).collect()
}

fn redact_line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let parts: Vec<&str> = line.split(' ').collect();
    for (number, word) in parts.iter().enumerate() {
        let unit = parts.get(number + 1).copied().unwrap_or("");
        let plain = word.trim_start_matches(|c: char| !c.is_ascii_digit());
        let is_time = ["s", "s,", "s)", "ms"].contains(&unit)
            && plain.chars().all(|c| c.is_ascii_digit() || c == '.')
            && !plain.is_empty();
        let again =
            number > 0 && parts[number - 1] == "in" && number > 1 && parts[number - 2] == "again";
        if again {
            words.push("[TIME]".to_owned());
            continue;
        }
        words.push(if is_time { word.replace(plain, "[TIME]") } else { word_redacted(word) });
    }
    words.join(" ")
}

fn word_redacted(word: &str) -> String {
    // 20261125-103411-k3f9: a run's id.
    let bytes = word.as_bytes();
    for at in 0..bytes.len().saturating_sub(19) {
        let part = &bytes[at..at + 20];
        let id = part.iter().enumerate().all(|(n, b)| match n {
            8 | 15 => *b == b'-',
            0..=14 => b.is_ascii_digit(),
            _ => b.is_ascii_alphanumeric(),
        });
        if id {
            return format!("{}[RUN]{}", &word[..at], word_redacted(&word[at + 20..]));
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_the_same() {
        let folder = std::path::Path::new("/tmp/x");
        let text = "done in 1.2 s, run 20261125-103411-k3f9 in /tmp/x/.pipe/runs/20261125-103411-k3f9/a.log";
        assert_eq!(
            redact(text, folder),
            "done in [TIME] s, run [RUN] in [FOLDER]/.pipe/runs/[RUN]/a.log\n"
        );
    }
}
