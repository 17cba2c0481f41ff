//! Everything that is wrong in a definition.

use super::{finding::AppProblem, known::Known, rules::RULES, subject, walk};
use crate::client::marathon::ServerVersion;

/// What is wrong in an app definition: first field by field, then by rules. Without a version every
/// Marathon is thought of: an error is what all of them refuse, and what was certainly meant
/// otherwise.
///
/// Null is the same as nothing, and what stands only in a server's answers is left out of
/// account, as `marathon.deploy` leaves both out.
#[must_use]
pub fn app_problems(app: &Known, server: Option<ServerVersion>) -> Vec<AppProblem> {
    if let Some(other) = subject::other_thing(app) {
        return other.judged(server).into_iter().collect();
    }
    let mut found = Vec::new();
    walk::walk(app, &mut found);
    let mut app = app.clone();
    walk::forgive(&mut app);
    for (_, rule) in RULES.iter().copied().flatten() {
        rule(&app, &mut found);
    }
    found.into_iter().filter_map(|finding| finding.judged(server)).collect()
}
