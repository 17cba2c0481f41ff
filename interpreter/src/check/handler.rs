//! The handlers behind the last stage.

use pipe_grammar::{Code, Diagnostic, tree::ItemKind};

use super::{Checker, Place};

impl Checker<'_> {
    pub(super) fn handlers(&mut self) {
        let file = self.file;
        let last_stage = file.items.iter().rposition(|i| matches!(i.kind, ItemKind::Stage(_)));
        for (number, item) in file.items.iter().enumerate() {
            let ItemKind::Handler(handler) = &item.kind else { continue };
            let word = handler.outcome.name();
            if last_stage.is_some_and(|last| number < last) {
                self.report(
                    Diagnostic::error(
                        Code::MISPLACED,
                        handler.head,
                        format!("`{word}` stands behind the last stage"),
                    )
                    .label("a stage follows")
                    .help(
                        "move it to the end of the file; a stage has handlers of its own, inside",
                    ),
                );
            }
            if let Some(first) = self.handlers.insert(word, handler.head) {
                let problem = Diagnostic::error(
                    Code::DUPLICATE_NAME,
                    handler.head,
                    format!("two handlers are `{word}`"),
                )
                .label("the second one")
                .also(first, "the first one")
                .help("join the two");
                self.report(problem);
            }
            let place =
                Place { user: Some(word.into()), steps: true, after_all: true, ..Place::default() };
            self.within(place, |this| this.scoped(|this| this.handler(handler)));
        }
    }
}
