//! A case in one file: how `pipe` is called, then the Pipelinefile, then further files.
//!
//! ```text
//! #! env TOKEN=hunter22
//! #! git
//! #! pipe run name=value
//! #! exit 1
//! #! sh touch repaired
//! #! pipe resume
//! stage a { … }
//! --- further/file
//! its text
//! ```

use std::{fmt::Write, process::Command};

use super::{Place, redact};

/// What is done in a case.
enum Call {
    /// `pipe` with arguments, and the status that it ends with.
    Pipe(Vec<String>, i32),
    /// A shell's command between two calls.
    Shell(String),
}

/// A case.
pub struct Case {
    calls: Vec<Call>,
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
            calls: Vec::new(),
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
        if case.calls.is_empty() {
            case.calls.push(Call::Pipe(vec!["run".to_owned()], 0));
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
                let arguments = arguments.split_whitespace().map(str::to_owned).collect();
                self.calls.push(Call::Pipe(arguments, 0));
            }
            ("exit", status) => match self.calls.last_mut() {
                Some(Call::Pipe(_, expected)) => *expected = status.parse().expect("a number"),
                _ => panic!("`exit` stands behind the call that it belongs to"),
            },
            ("sh", command) => self.calls.push(Call::Shell(command.to_owned())),
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
        let mut shown = format!("{}\n", self.text.trim_end());
        for call in &self.calls {
            let (arguments, status) = match call {
                Call::Pipe(arguments, status) => (arguments, status),
                Call::Shell(command) => {
                    let mut shell = Command::new("sh");
                    let done = shell.args(["-ec", command]).current_dir(place.work()).status();
                    assert!(done.is_ok_and(|status| status.success()), "{command}");
                    continue;
                }
            };
            if self.calls.len() > 1 {
                let _ = writeln!(shown, "===== pipe {}", arguments.join(" "));
            }
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut pipe = place.pipe(&arguments);
            for (name, value) in &self.env {
                pipe = pipe.env(name, value);
            }
            let answer = pipe.answer();
            for (name, text) in [("stdout", &answer.stdout), ("stderr", &answer.stderr)] {
                if !text.is_empty() {
                    let _ = write!(shown, "----- {name}\n{}", redact(text, &place.work()));
                }
            }
            let _ = writeln!(shown, "----- status {}", answer.status);
            assert_eq!(answer.status, *status, "{shown}");
        }
        shown
    }
}
