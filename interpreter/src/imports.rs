//! `import`: functions, types and values of other files of the repository.
//!
//! An imported file becomes a part of the same tree, its names behind the name it is imported by:
//! `lib.part_of`. So everything behind the parser knows one file.

use std::ops::Range;

use pipe_grammar::{
    Code, Diagnostic, Source, SourceId, Sources, Span, parse_into,
    tree::{ExprKind, File, Import, ItemKind, Piece, Text},
};

use crate::check::Files;

/// A file that is imported.
#[derive(Clone, Debug)]
pub struct Module {
    /// The text that imports it.
    pub importer: SourceId,
    /// The name it has there.
    pub alias: Text,
    /// Where that name stands, or the path.
    pub span: Span,
    /// Its own text.
    pub source: SourceId,
    /// What stands before its names: `lib.`.
    pub prefix: Text,
}

/// Reads the imports of a file, and theirs. `name` is the file's own, relative to its folder.
pub fn read(
    file: &mut File,
    sources: &mut Sources,
    files: &dyn Files,
) -> (Vec<Module>, Vec<Diagnostic>) {
    let mut reader = Reader { sources, files, modules: Vec::new(), problems: Vec::new() };
    let items = 0..file.items.len();
    let root = file.source;
    reader.imports(file, root, items, "", &mut vec!["Pipelinefile".to_owned()]);
    (reader.modules, reader.problems)
}

struct Reader<'a> {
    sources: &'a mut Sources,
    files: &'a dyn Files,
    modules: Vec<Module>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reads what a range of items imports. `open` holds the paths on the way here.
    fn imports(
        &mut self,
        file: &mut File,
        importer: SourceId,
        items: Range<usize>,
        prefix: &str,
        open: &mut Vec<String>,
    ) {
        let imports: Vec<Import> = file.items[items]
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Import(import) => Some(import.clone()),
                _ => None,
            })
            .collect();
        for import in imports {
            self.import(file, importer, &import, prefix, open);
        }
    }

    fn import(
        &mut self,
        file: &mut File,
        importer: SourceId,
        import: &Import,
        prefix: &str,
        open: &mut Vec<String>,
    ) {
        let path_span = file.span(import.path);
        let Some(written) = plain(file, import) else {
            self.problems.push(
                Diagnostic::error(
                    Code::BAD_PATH,
                    path_span,
                    "an import's path is a text without `#{…}`",
                )
                .label("known before anything else"),
            );
            return;
        };
        let path = resolve(open.last().map_or("", String::as_str), &written);
        if let Some(start) = open.iter().position(|known| *known == path) {
            let ring: Vec<&str> =
                open[start..].iter().map(String::as_str).chain([path.as_str()]).collect();
            self.problems.push(
                Diagnostic::error(Code::CYCLE, path_span, "these files import each other")
                    .label(ring.join(" -> "))
                    .help("move what both need into a third file"),
            );
            return;
        }
        let alias: Text = match &import.alias {
            Some(name) => name.text.clone(),
            None => stem(&written).into(),
        };
        let alias_span = import.alias.as_ref().map_or(path_span, |name| name.span);
        if !is_name(&alias) {
            self.problems.push(
                Diagnostic::error(Code::BAD_PATH, path_span, format!("`{alias}` can't be a name"))
                    .help(format!("give it one: `import \"{written}\" as lib`")),
            );
            return;
        }
        if let Some(first) =
            self.modules.iter().find(|m| m.importer == importer && m.alias == alias)
        {
            let problem = Diagnostic::error(
                Code::DUPLICATE_NAME,
                alias_span,
                format!("two imports are called `{alias}`"),
            )
            .label("the second one")
            .also(first.span, "the first one")
            .help("give one of them another name: `import … as name`");
            self.problems.push(problem);
            return;
        }
        if !self.files.exists(&path) {
            self.problems.push(
                Diagnostic::error(
                    Code::MISSING_FILE,
                    path_span,
                    format!("`{written}` does not exist"),
                )
                .label("no such file")
                .help("an import's path starts in the folder of the file that imports"),
            );
            return;
        }
        let text = match self.files.read(&path) {
            Ok(text) => text,
            Err(why) => {
                let what = format!("`{written}` {why}");
                self.problems.push(Diagnostic::error(Code::BAD_FILE, path_span, what));
                return;
            }
        };
        let source = self.sources.add(Source::new(path.clone(), text.clone()));
        let first = file.items.len();
        self.problems.extend(parse_into(file, source, &text));
        let inner: Text = format!("{prefix}{alias}.").into();
        self.qualify(file, first..file.items.len(), &inner);
        self.modules.push(Module {
            importer,
            alias,
            span: alias_span,
            source,
            prefix: inner.clone(),
        });
        open.push(path);
        self.imports(file, source, first..file.items.len(), &inner, open);
        open.pop();
    }

    /// Puts the prefix before the names that an imported file declares, and takes out what it may
    /// not declare.
    fn qualify(&mut self, file: &mut File, items: Range<usize>, prefix: &str) {
        let full = |name: &Text| -> Text { format!("{prefix}{name}").into() };
        for item in &mut file.items[items] {
            let word = match &mut item.kind {
                ItemKind::Function(function) => {
                    function.name.text = full(&function.name.text);
                    continue;
                }
                ItemKind::Type(alias) => {
                    alias.name.text = full(&alias.name.text);
                    continue;
                }
                ItemKind::Let(binding) => {
                    binding.name.text = full(&binding.name.text);
                    continue;
                }
                ItemKind::Import(_) | ItemKind::Edition(_) => continue,
                ItemKind::Param(param) => {
                    param.name.text = full(&param.name.text);
                    "param"
                }
                ItemKind::Secret(secret) => {
                    secret.name.text = full(&secret.name.text);
                    "secret"
                }
                ItemKind::Stage(stage) => {
                    stage.name.text = full(&stage.name.text);
                    "stage"
                }
                ItemKind::Connect(_) => "connect",
                ItemKind::Require(_) => "require",
                ItemKind::Pipeline(_) => "pipeline",
                ItemKind::Handler(_) => "handler",
            };
            self.problems.push(
                Diagnostic::error(
                    Code::MISPLACED,
                    item.span,
                    format!("an imported file has no `{word}`"),
                )
                .label("not here")
                .help("it has functions, types and values; the rest belongs into the Pipelinefile"),
            );
        }
    }
}

fn plain(file: &File, import: &Import) -> Option<String> {
    match &file.expr(import.path).kind {
        ExprKind::String { pieces, .. } => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text, _) => Some(&**text),
                Piece::Hole(..) => None,
            })
            .collect(),
        _ => None,
    }
}

/// A path that stands in `from`, relative to the Pipelinefile's folder.
fn resolve(from: &str, written: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_in_the_file_that_imports() {
        assert_eq!(resolve("Pipelinefile", "ci/lib.pipe"), "ci/lib.pipe");
        assert_eq!(resolve("ci/lib.pipe", "other.pipe"), "ci/other.pipe");
        assert_eq!(resolve("ci/lib.pipe", "../x.pipe"), "x.pipe");
        assert_eq!(stem("ci/my_lib.pipe"), "my_lib");
    }
}
