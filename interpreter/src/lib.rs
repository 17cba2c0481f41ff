//! Check, plan, run and report.

pub mod check;
pub mod cli;
pub mod docs;
pub mod eval;
pub mod event;
pub mod exit;
pub mod graph;
pub mod imports;
pub mod init;
pub mod mask;
pub mod outline;
pub mod plan;
pub mod program;
pub mod record;
pub mod report;
pub mod run;
pub mod sources;
pub mod trace;
mod worker;
