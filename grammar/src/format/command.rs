//! Commands: the bytes of the shell.

use std::borrow::Cow;

use super::layout::Printer;
use crate::{span::Span, tree::Command};

impl Printer<'_> {
    /// `$ docker build .`
    pub(super) fn command(&mut self, command: &Command) {
        let text = self.origin.slice(command.span);
        if text.is_empty() {
            return self.push("$");
        }
        self.push("$ ");
        let text = match text.contains("\\\r\n") {
            true => Cow::Owned(text.replace("\\\r\n", "\\\n")),
            false => Cow::Borrowed(text),
        };
        self.push(&text);
        self.push(self.behind_backslash(command.span));
    }

    /// What a backslash at the end of a command escapes: without it, it would escape the line end
    /// that comes next.
    fn behind_backslash(&self, span: Span) -> &'static str {
        let text = self.origin.slice(span);
        let backslashes = text.len() - text.trim_end_matches('\\').len();
        if backslashes.is_multiple_of(2) {
            return "";
        }
        let behind = &self.origin.text[span.end as usize..];
        match behind.trim_start_matches('\r') {
            // At the end of the file there is nothing to protect.
            "" | "\n" => "",
            line_end if line_end.starts_with('\n') => "\n",
            _ => " ",
        }
    }
}
