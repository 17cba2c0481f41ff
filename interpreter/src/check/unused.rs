//! Names of the file that nothing mentions.

use pipe_grammar::{Code, Diagnostic};

use super::{Checker, global::Kind};

impl Checker<'_> {
    pub(super) fn unused(&mut self) {
        let mut found = Vec::new();
        for (name, global) in &self.globals {
            let keeps = name.starts_with('_') || matches!(global.kind, Kind::Stage(_));
            if global.used || keeps {
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
        self.checked.problems.extend(found);
    }
}
