//! An instruction as it is written.

use super::joined;

/// The instruction that begins at `start`, as the parser counts, on one line.
pub(in crate::docker) fn text(dockerfile: &str, start: usize, escape: char) -> String {
    raw_text(dockerfile, start, escape).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same, its blanks kept.
pub(in crate::docker) fn raw_text(dockerfile: &str, start: usize, escape: char) -> String {
    let mut lines = Vec::new();
    for line in rest(dockerfile, start).lines() {
        lines.push(line);
        let is_comment = line.trim_start().starts_with('#') && lines.len() > 1;
        if !is_comment && !line.trim_end().ends_with(escape) {
            break;
        }
    }
    joined(&lines.join("\n"), escape).trim_end().to_owned()
}

/// The name of the `number`th here-document of an instruction, from 0: the word behind `<<`. It is
/// what a file is called that goes into a folder.
pub(in crate::docker) fn here_name(dockerfile: &str, start: usize, number: usize) -> String {
    let line = rest(dockerfile, start).lines().next().unwrap_or_default();
    let mut words = line.split_whitespace().filter_map(|word| {
        let word = word.strip_prefix("<<")?;
        Some(word.strip_prefix('-').unwrap_or(word))
    });
    words.nth(number).unwrap_or_default().replace(['"', '\''], "")
}

fn rest(dockerfile: &str, start: usize) -> &str {
    dockerfile.trim_start_matches('\u{feff}').get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_found_whole() {
        let file = "\u{feff}FROM a\nENV A=1 \\\n  # no\n  B=\"x  y\"\nCOPY <<a.txt <<-'B' /x/\n1\na.txt\nB\n";
        assert_eq!(text(file, 7, '\\'), "ENV A=1 B=\"x y\"");
        assert_eq!(raw_text(file, 7, '\\'), "ENV A=1   B=\"x  y\"");
        let copy = file.find("COPY").unwrap_or_default() - 3;
        assert_eq!([0, 1, 2].map(|number| here_name(file, copy, number)), ["a.txt", "B", ""]);
    }
}
