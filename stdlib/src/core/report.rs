//! What a running built-in may say.

/// Which of its two streams a tool wrote to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Something outside `pipe` that is about to be made or changed. It is in the journal before the
/// effect, so that whoever comes after a crash knows what to look for.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// An image is going to be built or named in an engine.
    Image {
        /// Its name and tag.
        reference: String,
    },
    /// An image is going to be pushed.
    Push {
        /// Its name and tag.
        reference: String,
    },
    /// A Marathon app is going to be changed.
    Deploy {
        /// Marathon's URL.
        marathon: String,
        /// The app.
        app: String,
        /// What ran before: the version that Marathon gave it; none when the app is new.
        previous: Option<String>,
    },
    /// The deployment that Marathon made of it.
    Deployment {
        /// The app.
        app: String,
        /// Marathon's id of the deployment.
        id: String,
        /// The version that Marathon gave the app.
        version: String,
    },
    /// A task of a Mesos cluster is going to be started; its framework ends it, and by its id the
    /// framework can be ended from elsewhere.
    Task {
        /// The masters, with commas between them.
        mesos: String,
        /// The id that the master gave the framework.
        framework: String,
    },
    /// A Marathon app is going to be made that goes when its block ends, unless it is promoted.
    Beside {
        /// Marathon's URL.
        marathon: String,
        /// The app.
        app: String,
        /// The app that it stands beside.
        of: String,
    },
    /// Such an app is going to get the traffic; from then on it stays.
    Promote {
        /// Marathon's URL.
        marathon: String,
        /// The app.
        app: String,
        /// The app that had the traffic, and goes; none when there was none.
        instead: Option<String>,
    },
    /// A Marathon app is going to be led back to what ran before.
    Rollback {
        /// The app.
        app: String,
        /// The version that it goes back to; none: scaled to 0 or removed.
        to: Option<String>,
    },
}

/// What became of one test.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    /// It passed.
    Passed,
    /// It failed at first, and passed when it was run again.
    Flaky,
    /// It failed, or could not be run.
    Failed,
    /// It was left out.
    Skipped,
}

/// One test, as a test tool reports it.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct TestResult {
    /// The suite.
    pub suite: String,
    /// The class or file; empty where the tool has none.
    pub class: String,
    /// The test.
    pub name: String,
    /// How long it took, in seconds; none where the tool does not tell.
    pub seconds: Option<f64>,
    /// What became of it.
    pub outcome: TestOutcome,
    /// Why it failed or was left out, one line; empty where the tool does not tell.
    pub message: String,
    /// What the tool says beside that, such as a stack trace, cut to a few thousand characters.
    pub text: String,
}

/// Where a running built-in says what happens. Implemented by the interpreter; every text passes
/// the masking of secrets before anybody sees it.
pub trait Report: Send + Sync {
    /// A line of the built-in itself, such as `pushed 3 layers`.
    fn say(&self, text: &str);

    /// What was done is not as it should be, though nothing failed: the run goes on and is
    /// unstable.
    fn unstable(&self, message: &str) {
        self.say(message);
    }

    /// Results of tests that belong to the run.
    fn tests(&self, results: Vec<TestResult>) {
        drop(results);
    }

    /// A line of a tool's output, without its line end.
    fn output(&self, stream: Stream, line: &str);

    /// An effect that is about to happen; returns when it is safely recorded.
    ///
    /// # Errors
    ///
    /// When the journal can't be written: then the effect must not happen.
    fn intend(&self, intent: Intent) -> Result<(), super::Failure>;

    /// Everything that this run has intended so far, oldest first, also before it was interrupted.
    fn intended(&self) -> Vec<Intent> {
        Vec::new()
    }
}
