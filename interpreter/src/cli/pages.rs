//! The pages of `docs/errors`, a part of the program.

use pipe_grammar::{Code, diagnostic::CODES};

macro_rules! pages {
    ($($name:literal)*) => {
        /// The pages by the names of their codes, in the order of the book.
        const PAGES: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors/", $name, ".md")),
        )),*];
    };
}

pages! {
    "syntax"
    "unclosed-block"
    "stray-bracket"
    "unterminated-string"
    "unterminated-command"
    "too-deep"
    "foreign-syntax"
    "bad-character"
    "bad-escape"
    "bad-literal"
    "raw-interpolation"
    "bad-indentation"
    "reserved-word"
    "merge-conflict"
    "edition-too-new"
    "misplaced"
    "unknown-name"
    "unknown-function"
    "unknown-field"
    "unknown-argument"
    "unknown-type"
    "unknown-stage"
    "duplicate-name"
    "duplicate-argument"
    "duplicate-clause"
    "missing-argument"
    "unnamed-argument"
    "wrong-type"
    "wrong-operands"
    "not-callable"
    "optional-value"
    "step-in-fact"
    "unused-binding"
    "unused-value"
    "unreachable"
    "constant-condition"
    "cycle"
    "bad-held-value"
    "stage-order"
    "passes-failure"
    "command-quoting"
    "command-syntax"
    "command-value"
    "command-lint"
    "secret-leak"
    "plain-secret"
    "short-secret"
    "missing-file"
    "bad-file"
    "unwritable-file"
    "bad-path"
    "invalid-json"
    "invalid-yaml"
    "invalid-xml"
    "bad-archive"
    "bad-regex"
    "invalid-app"
    "invalid-image"
    "mutable-tag"
    "dockerfile"
    "missing-param"
    "bad-param"
    "unknown-param"
    "missing-variable"
    "missing-secret"
    "no-connection"
    "requirement-failed"
    "evaluation"
    "no-repository"
    "command-failed"
    "stage-failed"
    "timed-out"
    "cancelled"
    "build-failed"
    "no-engine"
    "container-failed"
    "push-failed"
    "registry-refused"
    "app-refused"
    "app-locked"
    "app-lost"
    "deployment-failed"
    "deployment-superseded"
    "no-offer"
    "task-failed"
    "unreachable-server"
    "request-refused"
    "wrong-sum"
    "no-artifact"
    "git-failed"
    "server-error"
    "internal"
}

/// The page of a code, as Markdown.
pub(super) fn page(code: Code) -> &'static str {
    PAGES.iter().find(|(name, _)| *name == code.name()).map_or("", |(_, page)| page)
}

/// What a code is about, in one line.
pub(super) fn about(code: Code) -> &'static str {
    CODES.iter().find(|(found, _)| *found == code).map_or("", |(_, about)| about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_here() {
        let codes: Vec<&str> = CODES.iter().map(|(code, _)| code.name()).collect();
        let pages: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
        assert_eq!(pages, codes, "add the page to docs/errors and to the table above");
    }
}
