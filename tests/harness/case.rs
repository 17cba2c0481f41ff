//! A case in one file: how `pipe` is called, then the Pipelinefile, then further files.
//!
//! ```text
//! #! pipe run name=value
//! #! exit 1
//! #! env TOKEN=hunter22
//! #! git
//! stage a { … }
//! --- further/file
//! its text
//! ```

use std::fmt::Write;

use super::{Place, redact};

/// A case.
pub struct Case {
    arguments: Vec<String>,
    status: i32,
    env: Vec<(String, String)>,
    git: bool,
    files: Vec<(String, String)>,
    text: String,
}

impl Case {
    /// Reads a case.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut case = Self {
            arguments: vec!["run".to_owned()],
            status: 0,
            env: Vec::new(),
            git: false,
            files: Vec::new(),
            text: text.to_owned(),
        };
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            let Some(line) = line.strip_prefix("#! ") else { break };
            case.header(line);
            rest = after;
        }
        let mut parts = rest.split("\n--- ");
        let main = parts.next().unwrap_or("");
        case.files.push(("Pipelinefile".to_owned(), format!("{}\n", main.trim_end())));
        for part in parts {
            let (name, text) = part.split_once('\n').unwrap_or((part, ""));
            case.files.push((name.to_owned(), format!("{}\n", text.trim_end())));
        }
        case
    }

    fn header(&mut self, line: &str) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("pipe", arguments) => {
                self.arguments = arguments.split_whitespace().map(str::to_owned).collect();
            }
            ("exit", status) => self.status = status.parse().expect("a number"),
            ("env", pair) => {
                let (name, value) = pair.split_once('=').expect("NAME=VALUE");
                self.env.push((name.to_owned(), value.to_owned()));
            }
            ("git", _) => self.git = true,
            (word, _) => panic!("a case has no header `{word}`"),
        }
    }

    /// Runs it, and gives all that is to be seen: the case, what `pipe` said, and its status.
    #[must_use]
    pub fn run(&self) -> String {
        let mut place = Place::new();
        for (name, text) in &self.files {
            place.write(name, text);
        }
        if self.git {
            place.commit();
        }
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let mut pipe = place.pipe(&arguments);
        for (name, value) in &self.env {
            pipe = pipe.env(name, value);
        }
        let answer = pipe.answer();
        let mut shown = format!("{}\n", self.text.trim_end());
        for (name, text) in [("stdout", &answer.stdout), ("stderr", &answer.stderr)] {
            if !text.is_empty() {
                let _ = write!(shown, "----- {name}\n{}", redact(text, &place.work()));
            }
        }
        let _ = writeln!(shown, "----- status {}", answer.status);
        assert_eq!(answer.status, self.status, "{shown}");
        shown
    }
}
