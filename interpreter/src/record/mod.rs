//! What earlier runs have left: read, verified, and told.

mod forget;
mod ledger;
mod line;
mod past;
mod restore;
mod runs;
mod summary;

pub use forget::forget;
pub use ledger::{Damage, Ledger};
pub use line::{open, seal};
pub use past::{Answer, Past, PastStage, PastStep};
pub use restore::restore;
pub use runs::{Found, find, newest, runs};
pub use summary::{FailureSummary, Question, StageSummary, Summary};

/// The file of the events, in the folder of a run.
pub const EVENTS: &str = "events.jsonl";
