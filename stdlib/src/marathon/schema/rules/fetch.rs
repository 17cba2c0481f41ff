//! What a task fetches.

use super::{
    super::{super::normalise::READ_ONLY, finding::Finding, known::Known},
    rules,
};

rules! { fetch: uris_and_fetch }

fn uris_and_fetch(app: &Known, found: &mut Vec<Finding>) {
    // Answers before 1.5 have both.
    let answer = READ_ONLY.iter().any(|field| app.at(field).is_there());
    if app.at("uris").has_items() && app.at("fetch").has_items() && !answer {
        found.push(
            Finding::new("/uris", "`uris` and `fetch` can't stand together")
                .on_key()
                .help("`uris` is the older form: move them to `fetch`, as `{ \"uri\": \"…\" }`"),
        );
    }
}
