//! A run as JUnit's XML, as the JUnit plugin of Jenkins, GitLab and most others read it.

mod cases;
mod name;
mod write;

use std::path::Path;

use super::trail::Trail;

/// The report of a run: a suite for each stage, and the suites of the tests that it collected.
/// `folder` is the folder of the run, where the outputs of its stages lie.
#[must_use]
pub fn junit(trail: &Trail, folder: &Path) -> String {
    write::document(&trail.summary.pipeline, trail.end, &cases::suites(trail, folder))
}
