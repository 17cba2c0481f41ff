//! What was given as an app.

use super::{
    finding::Finding,
    known::{Fields, Known},
};

/// The app in what was given, and where in it its pointers begin: an answer to a GET of one app
/// holds it in `app`.
#[must_use]
pub fn unwrapped(mut given: Known) -> (Known, &'static str) {
    if let Known::Object(Fields { known, .. }) = &mut given
        && !known.contains_key("id")
        && matches!(known.get("app"), Some(Known::Object(_)))
        && let Some(app) = known.shift_remove("app")
    {
        return (app, "/app");
    }
    (given, "")
}

/// Something else than an app.
pub(super) fn other_thing(given: &Known) -> Option<Finding> {
    let list = |field: &str| matches!(given.at(field), Known::List(_));
    let what = match given {
        Known::Object(_) if list("apps") || list("groups") => "this is a group, not an app",
        Known::Object(_) if list("containers") => "this is a pod, not an app",
        Known::Object(_) | Known::Open(_) => return None,
        _ => "an app definition is an object",
    };
    Some(
        Finding::new("", what)
            .on_key()
            .help("`marathon.deploy` takes the definition of one app: `{ \"id\": \"/web\", … }`"),
    )
}
