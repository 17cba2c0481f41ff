//! What happens in a run. Events are the only language between a run and those who tell of it,
//! and what the journal keeps; their shape is versioned.

use serde::{Deserialize, Serialize};

/// The version of the shape of events.
pub const SCHEMA: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the journal, from 1.
    pub n: u64,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
        version: String,
        /// The inputs.
        params: serde_json::Map<String, serde_json::Value>,
        /// The state of the files that git tracks; none outside a repository.
        files: Option<String>,
        /// The stages, in order.
        stages: Vec<String>,
        /// Everything goes to the local cluster.
        local: bool,
        /// The stages that were picked by `--only` and `--from`; none: all.
        picked: Option<Vec<String>>,
        /// `--may-lack`
        may_lack: Vec<String>,
    },
    /// The run goes on, after it ended or was interrupted.
    RunResumed {
        /// Its id.
        run: String,
        /// The pipeline's name.
        pipeline: String,
        /// The version of `pipe`.
        version: String,
        /// The state of the files that git tracks.
        files: Option<String>,
    },
    /// A stage began.
    StageStarted {
        /// Its name.
        stage: String,
        /// Its title.
        title: Option<String>,
        /// What its definition and inputs are, as a sum: a stage with the same one need not run
        /// again. None: it can't be told.
        key: Option<String>,
    },
    /// A stage does not run again: it succeeded before, and nothing of it has changed.
    StageKept {
        /// Its name.
        stage: String,
        /// The run in which it succeeded.
        from: String,
        /// Its key.
        key: Option<String>,
        /// Its outputs.
        outputs: serde_json::Map<String, serde_json::Value>,
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
        /// The names of outputs in which a secret was hidden: they can't be taken over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hidden: Vec<String>,
    },
    /// A `step`, a command or a built-in began.
    StepStarted {
        /// The stage; empty in the handlers behind the last.
        stage: String,
        /// Its number in the run.
        step: usize,
        /// The number of the `step` around it.
        within: Option<usize>,
        /// Where in the stage it stands: the same for the same step of a resumed run.
        path: String,
        /// Whether it groups others, or what it is.
        kind: StepKind,
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
        /// What it gave, so that a resumed run need not do it again. None: it can't be kept, or
        /// holds a secret.
        #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
        value: Option<serde_json::Value>,
    },
    /// A fact was read that may be another one when the run goes on: of files, of the time.
    FactRead {
        /// The stage.
        stage: String,
        /// Where in the stage it stands.
        path: String,
        /// The call, secrets masked.
        text: String,
        /// What it said.
        #[serde(default, deserialize_with = "there")]
        value: Option<serde_json::Value>,
    },
    /// A step is not done again: it was done before the run was interrupted.
    StepKept {
        /// The stage.
        stage: String,
        /// What it does, secrets masked.
        text: String,
    },
    /// Somebody is asked whether a stage may run.
    Asked {
        /// The stage.
        stage: String,
        /// The question.
        question: String,
        /// When the answer comes too late, RFC 3339; none: never.
        until: Option<String>,
    },
    /// Somebody has answered.
    Answered {
        /// The stage.
        stage: String,
        /// Whether it may run.
        yes: bool,
        /// Who.
        by: String,
        /// Why, in words.
        why: Option<String>,
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
        /// Where in it, when it is a part of it that may fail: that part is not done again.
        path: Option<String>,
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
        kind: String,
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
        /// How long it took, in milliseconds; of a resumed run, since it was resumed.
        millis: u64,
        /// The state of the files that git tracks, at the end.
        files: Option<String>,
    },
}

/// A field that is there, also when it is null.
fn there<'de, D: serde::Deserializer<'de>>(
    field: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(field).map(Some)
}

/// What a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// `step "title" { … }`
    Group,
    /// A command.
    #[default]
    Command,
    /// A command whose output is taken.
    Capture,
    /// A built-in: how often it is done makes no difference.
    Builtin,
    /// A built-in that makes a difference each time.
    Once,
    /// Where the stage's commands run.
    Place,
}

impl StepKind {
    /// Whether doing it again makes a difference.
    #[must_use]
    pub fn makes_a_difference(self) -> bool {
        matches!(self, Self::Command | Self::Capture | Self::Once)
    }
}

/// How something ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// It waits for somebody's answer.
    Waiting,
}
