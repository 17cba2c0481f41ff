//! A file that was read and checked.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use pipe_grammar::{Diagnostic, Severity, Source, Sources, Span, parse, tree::File};
use pipe_stdlib::{Library, library};

use crate::{
    check::{Checked, Files, check},
    imports, sources,
};

/// A file that was read and checked: everything that later phases need of it.
pub struct Program {
    /// The tree.
    pub file: File,
    /// What is known about it.
    pub checked: Checked,
    /// What is wrong with it, in the order of the text.
    pub problems: Vec<Diagnostic>,
    /// The text of the file, and of others that messages point into.
    sources: Mutex<Sources>,
    /// What it can call.
    pub library: &'static Library,
    /// The folder of the file, absolute; and as messages name it, with a slash at its end.
    root: PathBuf,
    folder: String,
}

impl Program {
    /// The same, lying in a folder, so that messages name files beside it as itself.
    #[must_use]
    pub fn in_folder(self, root: &Path) -> Self {
        Self { root: root.to_path_buf(), ..self }
    }

    /// Reads and checks a text called `name`.
    #[must_use]
    pub fn new(name: &str, text: String, files: &dyn Files) -> Self {
        let library = library();
        let folder =
            name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let mut sources = Sources::default();
        let id = sources.add(Source::new(name, text.clone()));
        let mut parsed = parse(id, &text);
        // What could not be read at all is not checked further.
        let too_new = parsed.problems.iter().any(|p| p.code == pipe_grammar::Code::EDITION_TOO_NEW);
        let mut problems = parsed.problems;
        let mut checked = Checked::default();
        if !too_new {
            let (modules, wrong) = imports::read(&mut parsed.file, &mut sources, files);
            problems.extend(wrong);
            checked = check(&parsed.file, &sources, &modules, library, files);
        }
        problems.append(&mut checked.problems);
        for foreign in &checked.foreign {
            problems.push(sources::foreign(&mut sources, &folder, foreign));
        }
        for problem in &mut problems {
            problem.place_by(&|span| span.whole(&sources.get(span.source).text));
        }
        problems.sort_by_key(|problem| problem.span().map(|span| (span.source, span.start)));
        let root = PathBuf::new();
        Self {
            file: parsed.file,
            checked,
            problems,
            sources: Mutex::new(sources),
            library,
            root,
            folder,
        }
    }

    /// A path as messages name it: as the file itself is named, where it lies beside or below it.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(relative) => format!("{}{}", self.folder, relative.display()),
            Err(_) => path.display().to_string(),
        }
    }

    /// Whether anything is wrong that keeps it from running.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Reads the texts.
    pub fn sources<T>(&self, read: impl FnOnce(&mut Sources) -> T) -> T {
        let mut sources = self.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read(&mut sources)
    }

    /// The text under a span.
    #[must_use]
    pub fn slice(&self, span: Span) -> String {
        self.sources(|sources| sources.slice(span).to_owned())
    }

    /// The line, from 1, on which a span begins.
    #[must_use]
    pub fn line(&self, span: Span) -> usize {
        self.sources(|sources| sources.get(span.source).position(span.start).0)
    }
}
