//! Check, plan, run and report.

pub mod check;
pub mod cli;
pub mod eval;
pub mod event;
pub mod exit;
pub mod glob;
pub mod imports;
pub mod mask;
pub mod plan;
pub mod program;
pub mod report;
pub mod run;
pub mod sources;
