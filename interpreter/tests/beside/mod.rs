//! A case in one file: the Pipelinefile, and after each line `--- name` a file that lies beside it.

use std::collections::BTreeMap;

use pipe_interpreter::check::Files;

/// The files beside the Pipelinefile of a case.
pub(crate) struct Beside(BTreeMap<String, String>);

impl Files for Beside {
    fn exists(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./");
        path == "."
            || path.is_empty()
            || self.0.keys().any(|name| name == path || name.starts_with(&format!("{path}/")))
    }

    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path.trim_start_matches("./")).cloned().ok_or_else(|| "is a folder".to_owned())
    }
}

/// Cuts a case into the Pipelinefile and what lies beside it.
pub(crate) fn cut(text: &str) -> (String, Beside) {
    let mut parts = text.split("\n--- ");
    let main = parts.next().unwrap_or("").to_owned() + "\n";
    let files = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    (main, Beside(files.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()))
}
