//! What happens in a run. Events are the only language between a run and those who tell of it,
//! and what the journal keeps; their shape is versioned.

use serde::Serialize;

/// The version of the shape of events.
pub const SCHEMA: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// When, RFC 3339, UTC.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The run began.
    RunStarted {
        /// [`SCHEMA`].
        schema: u32,
        /// Its id.
        run: String,
        /// The pipeline's name.
        pipeline: String,
        /// The file.
        file: String,
        /// The version of `pipe`.
        version: &'static str,
        /// The inputs.
        params: serde_json::Map<String, serde_json::Value>,
        /// The stages, in order.
        stages: Vec<String>,
        /// Everything goes to the local cluster.
        local: bool,
    },
    /// A stage began.
    StageStarted {
        /// Its name.
        stage: String,
        /// Its title.
        title: Option<String>,
    },
    /// A stage does not run.
    StageSkipped {
        /// Its name.
        stage: String,
        /// Why.
        reason: String,
    },
    /// A stage ended.
    StageFinished {
        /// Its name.
        stage: String,
        /// How.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Its outputs; none holds a secret.
        outputs: serde_json::Map<String, serde_json::Value>,
    },
    /// A `step`, a command or a built-in began.
    StepStarted {
        /// The stage; empty in the handlers behind the last.
        stage: String,
        /// Its number in the run.
        step: usize,
        /// The number of the `step` around it.
        within: Option<usize>,
        /// What it does, secrets masked.
        text: String,
        /// Its line in the file.
        line: usize,
    },
    /// It ended.
    StepFinished {
        /// The stage.
        stage: String,
        /// Its number.
        step: usize,
        /// How.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// A built-in, or the run itself, says something.
    Said {
        /// The stage.
        stage: String,
        /// The step; none for the stage itself.
        step: Option<usize>,
        /// What, secrets masked.
        text: String,
    },
    /// Results of tests were collected.
    Tests {
        /// The stage.
        stage: String,
        /// The step that collected them.
        step: Option<usize>,
        /// The results, secrets masked.
        results: Vec<pipe_stdlib::core::TestResult>,
    },
    /// An effect outside is about to happen.
    Intent {
        /// The stage.
        stage: String,
        /// Which.
        #[serde(flatten)]
        intent: pipe_stdlib::core::Intent,
    },
    /// Something failed that may: the run is unstable.
    Unstable {
        /// The stage.
        stage: String,
        /// What, secrets masked.
        message: String,
    },
    /// A stage failed.
    Failure {
        /// The stage.
        stage: String,
        /// The title of the step around it.
        step: Option<String>,
        /// The stable name of the kind of failure.
        code: String,
        /// `command`, `step`, `timeout`, `infrastructure`.
        kind: &'static str,
        /// One line, secrets masked.
        message: String,
        /// The whole message as it is drawn, secrets masked.
        drawn: String,
    },
    /// The run ended.
    RunFinished {
        /// How.
        outcome: Outcome,
        /// The exit status.
        status: u8,
        /// How long it took, in milliseconds.
        millis: u64,
    },
}

/// How something ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Well.
    Success,
    /// It failed.
    Failed,
    /// Well, but for something that may fail.
    Unstable,
    /// It was cancelled.
    Cancelled,
    /// It did not run.
    Skipped,
}
