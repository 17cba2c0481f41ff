//! Files that the text names literally.

use pipe_grammar::{
    Code, Diagnostic, Severity,
    tree::{Argument, CommandPart, ExprId, ExprKind, StatementKind},
};
use pipe_stdlib::core::{Builtin, Signature, Type};

use super::{Checker, Target};

/// The files around the Pipelinefile, as far as the checker may see them.
pub trait Files {
    /// Whether something is there under a path relative to the Pipelinefile's folder.
    fn exists(&self, path: &str) -> bool;

    /// Whether a path stays inside the repository. Without knowing where that begins: inside the
    /// Pipelinefile's folder.
    fn is_inside(&self, path: &str) -> bool {
        let mut depth = 0i32;
        path.split('/').all(|part| {
            depth += match part {
                "" | "." => 0,
                ".." => -1,
                _ => 1,
            };
            depth >= 0
        })
    }

    /// The text of a file; an error says in words why it can't be read.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is no text.
    fn read(&self, path: &str) -> Result<String, String>;
}

impl Checker<'_> {
    /// Looks at the files that a call names by literals.
    pub(super) fn named_files(
        &mut self,
        builtin: &Builtin,
        signature: &Signature,
        arguments: &[Argument],
    ) {
        for (number, argument) in arguments.iter().enumerate() {
            let parameter = match &argument.name {
                Some(name) => signature.parameter(&name.text),
                None if number == 0 => signature.parameters.as_ref().and_then(|p| p.first()),
                None => None,
            };
            let Some(parameter) = parameter else { continue };
            let ty = parameter.ty.required();
            let content = match (builtin.module, builtin.name) {
                _ if ty == Type::App => Content::App,
                ("json", "read") => Content::Json,
                ("yaml", "read") => Content::Yaml,
                _ if ty == Type::Path && reads(builtin, &parameter.name) => Content::Any,
                _ => continue,
            };
            let Some(path) = self.plain(argument.value) else { continue };
            self.named_file(argument.value, &path, content);
        }
    }

    fn named_file(&mut self, id: ExprId, path: &str, content: Content) {
        let span = self.span(id);
        if path.contains('\\') {
            let fixed = path.replace('\\', "/");
            self.report(
                Diagnostic::error(Code::BAD_PATH, span, "a path is written with `/`")
                    .help(format!("write `\"{fixed}\"`")),
            );
            return;
        }
        if !self.inside(id) {
            return;
        }
        if !self.files.exists(path) {
            if !self.is_made(path) {
                let problem = self.missing_file(id, path);
                self.report(problem);
            }
            return;
        }
        // What is in an app definition is looked at with the changes over it.
        if matches!(content, Content::Any | Content::App) {
            return;
        }
        let Some(text) = self.named_text(id, path) else { return };
        let (code, problem) = match content {
            Content::Yaml => (Code::INVALID_YAML, crate::sources::yaml_problem(&text)),
            _ => (Code::INVALID_JSON, crate::sources::json_problem(&text)),
        };
        if let Some(problem) = problem {
            self.foreign(id, path, text, code, problem);
        }
    }

    /// Tells of a path, written as a literal, that leaves the repository.
    pub(super) fn inside(&mut self, id: ExprId) -> bool {
        let Some(path) = self.plain(id) else { return true };
        if path.starts_with('/') || self.files.is_inside(&path) {
            return true;
        }
        let what = format!("`{path}` leaves the repository");
        self.report(
            Diagnostic::error(Code::BAD_PATH, self.span(id), what).label("outside").help(
                "a pipeline reads its repository; anything else is written as an absolute path",
            ),
        );
        false
    }

    fn missing_file(&self, id: ExprId, path: &str) -> Diagnostic {
        Diagnostic::error(Code::MISSING_FILE, self.span(id), format!("`{path}` does not exist"))
            .label("no such file")
            .help("paths start in the folder of the Pipelinefile")
    }

    /// Whether a command or a step above names the path, or a folder on the way to it: then it may
    /// make it.
    fn is_made(&self, path: &str) -> bool {
        let Some(current) = self.place.stage else { return false };
        let mut texts = Vec::new();
        for stage in self.file.stages().take(current + 1) {
            commands(&stage.body.statements, &mut texts);
        }
        let mut on_the_way = vec![path.trim_start_matches("./").to_owned()];
        while let Some((folder, _)) = on_the_way.last().and_then(|p| p.rsplit_once('/')) {
            on_the_way.push(folder.to_owned());
        }
        texts.iter().any(|text| on_the_way.iter().any(|path| text.contains(path.as_str())))
            || self.steps_make(&on_the_way)
    }

    /// Whether a step that was checked so far writes one of these paths.
    fn steps_make(&self, paths: &[String]) -> bool {
        self.file.expressions.iter().enumerate().any(|(number, expr)| {
            let id = ExprId(u32::try_from(number).unwrap_or(u32::MAX));
            let ExprKind::Call { arguments, .. } = &expr.kind else { return false };
            let target = self.checked.targets.get(&id);
            let Some(Target::Builtin { builtin, .. }) = target else { return false };
            let Some((parameter, default)) = writes(builtin) else { return false };
            let signature = self.library.signature(builtin);
            let first = signature.parameters.as_ref().and_then(|all| all.first());
            let given =
                arguments.iter().enumerate().find(|(place, argument)| match &argument.name {
                    Some(name) => &*name.text == parameter,
                    None => *place == 0 && first.is_some_and(|first| &*first.name == parameter),
                });
            let written = match given {
                // What is computed may be anything.
                Some((_, argument)) => match self.plain(argument.value) {
                    Some(path) => path,
                    None => return true,
                },
                None => default.to_owned(),
            };
            let written = written.trim_start_matches("./").trim_end_matches('/');
            written == "." || written.is_empty() || paths.iter().any(|path| path == written)
        })
    }

    /// The Dockerfile of a build whose context is a literal.
    pub(super) fn dockerfile(&mut self, arguments: &[Argument]) {
        let named = |name: &str| {
            let found =
                arguments.iter().find(|a| a.name.as_ref().is_some_and(|n| &*n.text == name));
            found.map(|a| a.value)
        };
        let first = arguments.first().filter(|a| a.name.is_none()).map(|a| a.value);
        let (id, path) = match named("dockerfile") {
            Some(id) => (id, self.plain(id)),
            None => {
                let Some(id) = first.or_else(|| named("context")) else { return };
                // A folder that is missing is told already.
                if self.plain(id).is_some_and(|folder| !self.files.exists(&folder)) {
                    return;
                }
                let path = self.plain(id).map(|context| match context.trim_end_matches('/') {
                    "." | "" => "Dockerfile".to_owned(),
                    folder => format!("{folder}/Dockerfile"),
                });
                (id, path)
            }
        };
        let Some(path) = path else { return };
        if !self.files.exists(&path) {
            if named("dockerfile").is_none() && !self.is_made(&path) {
                let problem = self.missing_file(id, &path);
                self.report(problem.help("name another one: `dockerfile: \"…\"`"));
            }
            return;
        }
        let Some(text) = self.named_text(id, &path) else { return };
        for (bytes, message, help) in pipe_stdlib::docker::dockerfile_problems(&text) {
            let help = (!help.is_empty()).then_some(help);
            let problem = crate::sources::TextProblem { bytes, message, help };
            self.foreign(id, &path, text.clone(), Code::DOCKERFILE, problem);
        }
    }

    pub(super) fn named_text(&mut self, id: ExprId, path: &str) -> Option<String> {
        match self.files.read(path) {
            Ok(text) => Some(text),
            Err(why) => {
                let span = self.span(id);
                self.report(Diagnostic::error(Code::BAD_FILE, span, format!("`{path}` {why}")));
                None
            }
        }
    }

    pub(super) fn foreign(
        &mut self,
        id: ExprId,
        path: &str,
        text: String,
        code: Code,
        problem: crate::sources::TextProblem,
    ) {
        let name = path.trim_start_matches("./").to_owned();
        let read_at = self.span(id);
        let severity = Severity::Error;
        self.checked.foreign.push(super::Foreign { name, text, read_at, code, severity, problem });
    }
}

/// What a file that is named should hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Any,
    App,
    Json,
    Yaml,
}

/// Whether a built-in reads what a parameter of type `path` names, and not writes it.
fn reads(builtin: &Builtin, parameter: &str) -> bool {
    matches!(
        (builtin.module, builtin.name, parameter),
        ("docker", "build", "context" | "dockerfile")
            | ("file" | "json" | "yaml", "read", _)
            | ("archive", "extract", "file")
            | ("http", _, "file")
    )
}

/// The parameter that names what a built-in writes, and its default.
fn writes(builtin: &Builtin) -> Option<(&'static str, &'static str)> {
    Some(match (builtin.module, builtin.name) {
        ("file", "write" | "append") => ("path", ""),
        ("file", "copy") | ("http", "download") => ("to", ""),
        ("archive", "create") => ("file", ""),
        ("archive" | "artifact", "extract" | "load") => ("into", "."),
        _ => return None,
    })
}

/// The shell texts of a block.
fn commands<'a>(statements: &'a [pipe_grammar::tree::Statement], texts: &mut Vec<&'a str>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Command(command) => {
                texts.extend(command.parts.iter().filter_map(|part| match part {
                    CommandPart::Text(text, _) => Some(&**text),
                    CommandPart::Hole(..) => None,
                }));
            }
            StatementKind::Step { body, .. }
            | StatementKind::For { body, .. }
            | StatementKind::Parallel(body)
            | StatementKind::Block(body) => commands(&body.statements, texts),
            StatementKind::If { branches, otherwise } => {
                branches.iter().for_each(|branch| commands(&branch.body.statements, texts));
                if let Some(block) = otherwise {
                    commands(&block.statements, texts);
                }
            }
            StatementKind::Modified { body, .. } => commands(std::slice::from_ref(body), texts),
            _ => {}
        }
    }
}
