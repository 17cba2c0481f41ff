//! Names of the file that nothing mentions.

use pipe_grammar::{Code, Diagnostic};

use super::{Checker, global::Kind};

impl Checker<'_> {
    pub(super) fn unused(&mut self) {
        let mut found = Vec::new();
        for (name, global) in &self.globals {
            let keeps = name.starts_with('_') || matches!(global.kind, Kind::Stage(_));
            // What an imported file offers, somebody else may use.
            let imported = global.span.source != self.file.source;
            if global.used || keeps || imported || self.is_maybe_used(name) {
                continue;
            }
            let noun = global.kind.noun();
            let what = format!("the {noun} `{name}` is never used");
            found.push(
                Diagnostic::warning(Code::UNUSED_BINDING, global.span, what)
                    .label("declared here")
                    .help(format!("remove it, or call it `_{name}` to keep it")),
            );
        }
        for (module, used) in self.modules.iter().zip(&self.modules_used) {
            let used = *used || self.is_maybe_used(&module.alias);
            if !used && !module.alias.starts_with('_') && module.importer == self.file.source {
                let what = format!("the import `{}` is never used", module.alias);
                found.push(
                    Diagnostic::warning(Code::UNUSED_BINDING, module.span, what)
                        .label("imported here")
                        .help("remove it"),
                );
            }
        }
        self.checked.problems.extend(found);
    }
}
