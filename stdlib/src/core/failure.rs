//! Why a built-in failed.

use pipe_grammar::Code;

/// What kind of failure it is; it decides the exit status of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureKind {
    /// What the user wrote or built does not work: status 1.
    Step,
    /// It took longer than it may: status 1 (124 when it is the run's own time-out).
    Timeout,
    /// An engine, registry or server failed, not the user's code: status 4.
    Infrastructure,
    /// Another deployment took over: status 5.
    Superseded,
    /// The run was cancelled while it waited.
    Cancelled,
}

/// Where in the call the mistake lies. The interpreter turns it into a place in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Spot {
    /// The whole call.
    #[default]
    Call,
    /// The argument with this name; the whole call if it was not given.
    Argument(&'static str),
    /// A place inside a file that the call read.
    File {
        /// The file, as [`World::path`](super::World::path) named it.
        path: std::path::PathBuf,
        /// First byte and first byte behind, in the file's text.
        bytes: std::ops::Range<usize>,
    },
    /// A value inside an argument: the argument's name and a JSON pointer (RFC 6901) into it.
    /// Whether the value stands in the Pipelinefile or in the file that the argument names, the
    /// interpreter finds out.
    Pointer {
        /// The argument.
        argument: &'static str,
        /// RFC 6901, `/container/docker/image`.
        pointer: String,
    },
}

/// One of several things that are wrong, with its own place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub spot: Spot,
    /// The headline: `` `/mem` must be a number ``.
    pub message: String,
    /// What stands at the place, or nothing.
    pub label: String,
    /// The next action, a line each.
    pub help: Vec<String>,
}

/// Why a built-in failed, in words for the person who wrote the call. It holds no place in a
/// file: the interpreter adds it exactly once.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Failure {
    /// The stable name of this kind of failure.
    pub code: Code,
    /// What kind of failure.
    pub kind: FailureKind,
    /// One line, lower case, without a full stop, names in back-ticks.
    pub message: String,
    /// Where in the call.
    pub spot: Spot,
    /// What stands at that place; adds to the headline, does not repeat it.
    pub label: String,
    /// The next action, a line each.
    pub help: Vec<String>,
    /// What was seen: a title (`the last lines of its stderr`) and lines, oldest first.
    pub evidence: Vec<(String, Vec<String>)>,
    /// Single mistakes with places of their own.
    pub problems: Vec<Problem>,
}

impl Failure {
    /// A failure of what the user wrote or built.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: FailureKind::Step,
            message: message.into(),
            spot: Spot::Call,
            label: String::new(),
            help: Vec::new(),
            evidence: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// A failure of an engine, a registry or a server.
    pub fn infrastructure(code: Code, message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Infrastructure, ..Self::new(code, message) }
    }

    /// The run was cancelled while the built-in waited.
    pub fn cancelled() -> Self {
        Self { kind: FailureKind::Cancelled, ..Self::new(Code::CANCELLED, "cancelled") }
    }

    /// A mistake of ours: something that the checker or the code around should have made
    /// impossible.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::new(Code::INTERNAL, format!("a mistake in `pipe` itself: {what}"))
            .help("please report it, with the Pipelinefile")
    }

    /// Sets the kind.
    pub fn kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }

    /// Blames one argument.
    pub fn at_argument(self, name: &'static str) -> Self {
        self.at(Spot::Argument(name))
    }

    /// Sets the place.
    pub fn at(mut self, spot: Spot) -> Self {
        self.spot = spot;
        self
    }

    /// Says something at the place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a line of help.
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Shows lines that were seen. No lines, no evidence.
    pub fn evidence(mut self, title: impl Into<String>, lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            self.evidence.push((title.into(), lines));
        }
        self
    }

    /// Adds a single mistake with a place of its own.
    pub fn problem(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }
}
