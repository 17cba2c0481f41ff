//! The register of codes: one line for each kind of mistake.
//!
//! A code is stable: it is never renamed and never given to another mistake. Each has a page in
//! `docs/errors/` with a wrong and a repaired example.

use std::fmt;

/// The stable name of a kind of mistake, like `unknown-name`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    /// The name itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The code with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        CODES.iter().map(|(code, _)| *code).find(|code| code.0 == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($constant:ident $name:literal $about:literal)*) => {
        impl Code {
            $(#[doc = $about] pub const $constant: Self = Self($name);)*
        }

        /// Every code with what it is about, in the order of the book.
        pub const CODES: &[(Code, &str)] = &[$((Code::$constant, $about)),*];
    };
}

codes! {
    // The text itself.
    SYNTAX "syntax" "The text is no Pipelinefile at this place."
    UNCLOSED_BLOCK "unclosed-block" "A bracket is opened and never closed."
    STRAY_BRACKET "stray-bracket" "A bracket closes nothing."
    UNTERMINATED_STRING "unterminated-string" "A string is never closed."
    UNTERMINATED_COMMAND "unterminated-command" "A `$(…)` is never closed."
    TOO_DEEP "too-deep" "Brackets nest deeper than 128."
    FOREIGN_SYNTAX "foreign-syntax" "A habit of another tool."
    BAD_CHARACTER "bad-character" "A character that looks like another one."
    BAD_ESCAPE "bad-escape" "An unknown escape in a string."
    BAD_LITERAL "bad-literal" "A number, duration or size that can't be read."
    RAW_INTERPOLATION "raw-interpolation" "`#{…}` in a text that is taken as it stands."
    BAD_INDENTATION "bad-indentation" "The lines of a text over several lines are not indented alike."
    RESERVED_WORD "reserved-word" "A reserved word used as a name."
    MERGE_CONFLICT "merge-conflict" "Marks of an unresolved merge."
    EDITION_TOO_NEW "edition-too-new" "The file asks for a newer `pipe`."
    MISPLACED "misplaced" "Something that belongs elsewhere in the file."

    // Names and types.
    UNKNOWN_NAME "unknown-name" "Nothing has this name here."
    UNKNOWN_FUNCTION "unknown-function" "A module has no such function."
    UNKNOWN_FIELD "unknown-field" "A value has no such field or method."
    UNKNOWN_ARGUMENT "unknown-argument" "A function has no such parameter."
    UNKNOWN_TYPE "unknown-type" "No type has this name."
    UNKNOWN_STAGE "unknown-stage" "No stage above has this name."
    DUPLICATE_NAME "duplicate-name" "A name is given twice."
    DUPLICATE_ARGUMENT "duplicate-argument" "An argument is given twice."
    DUPLICATE_CLAUSE "duplicate-clause" "A clause is written twice."
    MISSING_ARGUMENT "missing-argument" "A call lacks an argument."
    UNNAMED_ARGUMENT "unnamed-argument" "Only the first argument may stand without its name."
    WRONG_TYPE "wrong-type" "A value has another type than its place takes."
    WRONG_OPERANDS "wrong-operands" "An operator can't take these operands."
    NOT_CALLABLE "not-callable" "What is called is no function."
    OPTIONAL_VALUE "optional-value" "A value may be null where it must not."
    STEP_IN_FACT "step-in-fact" "A step stands where only facts may."
    UNUSED_BINDING "unused-binding" "A name is bound and never used."
    UNUSED_VALUE "unused-value" "A fact whose value nobody takes."
    UNREACHABLE "unreachable" "A statement that is never reached."
    CONSTANT_CONDITION "constant-condition" "A condition that is always the same."
    CYCLE "cycle" "Definitions that need each other."
    BAD_HELD_VALUE "bad-held-value" "A held value leaves its block."

    // Stages.
    STAGE_ORDER "stage-order" "A stage names one that does not stand above it."
    PASSES_FAILURE "passes-failure" "A deployment may pass a stage that still can fail."

    // Commands.
    COMMAND_QUOTING "command-quoting" "A value stands where the shell would read it as code."
    COMMAND_SYNTAX "command-syntax" "The shell could not read this command."
    COMMAND_VALUE "command-value" "A value that a command can't take here."
    COMMAND_LINT "command-lint" "A command that does not do what it looks like."

    // Secrets.
    SECRET_LEAK "secret-leak" "A secret stands where others can read it."
    PLAIN_SECRET "plain-secret" "A plain string that looks like a secret."
    SHORT_SECRET "short-secret" "A secret too short to be masked."

    // Files and definitions.
    MISSING_FILE "missing-file" "A file that is named does not exist."
    BAD_FILE "bad-file" "A file that is named can't be read."
    UNWRITABLE_FILE "unwritable-file" "A file that is named can't be written."
    BAD_PATH "bad-path" "A path that leaves the repository or is not written with `/`."
    INVALID_JSON "invalid-json" "A text is not valid JSON."
    INVALID_YAML "invalid-yaml" "A text is not valid YAML."
    INVALID_XML "invalid-xml" "A file of test results can't be read."
    BAD_ARCHIVE "bad-archive" "An archive that can't be made or unpacked."
    BAD_REGEX "bad-regex" "A regular expression that can't be read."
    INVALID_APP "invalid-app" "Marathon would refuse or ignore a part of an app definition."
    INVALID_IMAGE "invalid-image" "An image reference that no registry takes."
    MUTABLE_TAG "mutable-tag" "A tag that may mean another image tomorrow."
    DOCKERFILE "dockerfile" "A Dockerfile that the chosen builder can't build."

    // Inputs and the plan.
    MISSING_PARAM "missing-param" "A parameter has no value."
    BAD_PARAM "bad-param" "A value does not fit its parameter."
    UNKNOWN_PARAM "unknown-param" "The file has no such parameter."
    MISSING_VARIABLE "missing-variable" "An environment variable is not set."
    MISSING_SECRET "missing-secret" "A secret that is needed is not there."
    NO_CONNECTION "no-connection" "Nothing says where a built-in should go."
    REQUIREMENT_FAILED "requirement-failed" "A `require` does not hold."
    EVALUATION "evaluation" "An expression that can't be evaluated."
    NO_REPOSITORY "no-repository" "A git fact is asked for outside a git repository."

    // Running.
    COMMAND_FAILED "command-failed" "A command ended with a status other than 0."
    STAGE_FAILED "stage-failed" "A `fail` was reached."
    TIMED_OUT "timed-out" "Something took longer than it may."
    CANCELLED "cancelled" "The run was cancelled."
    BUILD_FAILED "build-failed" "An image could not be built."
    NO_ENGINE "no-engine" "No Docker Engine answers."
    CONTAINER_FAILED "container-failed" "A container could not be started, or ended when it should not."
    PUSH_FAILED "push-failed" "An image could not be pushed."
    REGISTRY_REFUSED "registry-refused" "A registry refused a login or a request."
    APP_REFUSED "app-refused" "Marathon refused an app definition."
    APP_LOCKED "app-locked" "Another deployment holds the app."
    APP_LOST "app-lost" "An app that was there is not there any more."
    DEPLOYMENT_FAILED "deployment-failed" "The new version does not work; Marathon was led back."
    DEPLOYMENT_SUPERSEDED "deployment-superseded" "Another deployment took over."
    NO_OFFER "no-offer" "No Mesos agent offered what a task needs."
    TASK_FAILED "task-failed" "A Mesos task was refused, or ended before its commands."
    UNREACHABLE_SERVER "unreachable-server" "A server does not answer."
    REQUEST_REFUSED "request-refused" "A server answered that it won't."
    WRONG_SUM "wrong-sum" "What was downloaded is not what was expected."
    NO_ARTIFACT "no-artifact" "No artifact of the run has this name."
    GIT_FAILED "git-failed" "A git command failed."
    SERVER_ERROR "server-error" "A server answered with an error of its own."
    INTERNAL "internal" "A mistake in `pipe` itself."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut names: Vec<&str> = CODES.iter().map(|(code, _)| code.name()).collect();
        for name in &names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
