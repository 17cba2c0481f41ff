//! Check, plan, run and report.

pub mod check;
pub mod eval;
pub mod glob;
pub mod program;
pub mod report;
pub mod sources;
