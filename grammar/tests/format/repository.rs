//! Every Pipelinefile of the repository.

use std::path::{Path, PathBuf};

use pipe_grammar::{Severity, SourceId, format, parse};

use crate::meaning::formatted;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The Pipelinefiles below a folder, with their names. A case of the end-to-end tests may hold
/// several files, each behind a line `--- NAME`.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name == "Pipelinefile" || name.ends_with(".pipe") {
            let text = std::fs::read_to_string(&path).unwrap();
            for (place, part) in text.split("\n--- ").enumerate() {
                let (inner, part) = match place {
                    0 => ("", part),
                    _ => part.split_once('\n').unwrap_or((part, "")),
                };
                if place == 0 || inner.trim().ends_with(".pipe") {
                    found.push((format!("{} {inner}", path.display()), format!("{part}\n")));
                }
            }
        }
    }
    found
}

#[test]
fn every_file_keeps_its_meaning() {
    let mut good = 0;
    for folder in ["examples", "tests/cases", "grammar/tests", "interpreter/tests"] {
        for (name, text) in files(&root().join(folder)) {
            let errors = parse(SourceId::default(), &text).problems;
            if errors.iter().all(|problem| problem.severity != Severity::Error) {
                formatted(&name, &text);
                good += 1;
            } else {
                let refused = format(SourceId::default(), &text).unwrap_err();
                assert!(refused.iter().all(|problem| problem.severity == Severity::Error));
            }
        }
    }
    assert!(good > 25, "only {good} files were found");
}

/// They are the style: whoever changes the layout sees it here.
#[test]
fn the_target_programs_and_examples_are_formatted() {
    let mut texts = files(&root().join("grammar/tests/parse"));
    texts.retain(|(name, _)| !name.contains("everything"));
    texts.extend(files(&root().join("examples")));
    assert!(texts.len() > 14);
    for (name, text) in texts {
        let text = format!("{}\n", text.trim_end());
        assert_eq!(formatted(&name, &text), text, "{name}");
    }
}

/// The examples of the documentation are what the formatter writes.
#[test]
fn the_examples_of_the_documentation_are_formatted() {
    let page = std::fs::read_to_string(root().join("docs/formatting.md")).unwrap();
    let mut examples = 0;
    for part in page.split("```pipelinefile\n").skip(1) {
        let (example, _) = part.split_once("```").unwrap();
        let margin = example.len() - example.trim_start_matches(' ').len();
        let example: String =
            example.lines().map(|line| format!("{}\n", line.get(margin..).unwrap_or(""))).collect();
        let text = format!("edition 2026\n\n{}\n", example.trim_end());
        assert_eq!(formatted("an example", &text), text);
        examples += 1;
    }
    assert!(examples > 1);
}
