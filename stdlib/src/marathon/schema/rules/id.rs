//! The id, and those of the apps it waits for.

use super::{
    super::{
        super::{app_id, normalise::absolute},
        finding::Finding,
        known::Known,
    },
    rules,
};

rules! { id: id_given, id_well_formed, dependencies }

fn id_given(app: &Known, found: &mut Vec<Finding>) {
    if app.at("id").is_absent() {
        found.push(
            Finding::new("", "the app definition has no `id`")
                .on_key()
                .help("give it one: `\"id\": \"/web\"`"),
        );
    }
}

fn id_well_formed(app: &Known, found: &mut Vec<Finding>) {
    let Some(id) = app.at("id").text() else { return };
    if let Some((why, repaired)) = app_id::problem(id) {
        found.push(wrong("/id", id, &why, repaired));
    }
}

fn dependencies(app: &Known, found: &mut Vec<Finding>) {
    let own = app.at("id").text().map(|id| absolute(id, "/"));
    // A relative one starts in the app's group.
    let group = own.as_deref().and_then(|id| id.rsplit_once('/')).map_or("/", |(group, _)| group);
    for (at, dependency) in app.at("dependencies").items().iter().enumerate() {
        let Some(text) = dependency.text() else { continue };
        let (pointer, id) = (format!("/dependencies/{at}"), absolute(text, group));
        if own.as_ref() == Some(&id) {
            found.push(Finding::new(pointer, "the app waits for itself").help("leave it out"));
        } else if id != "/"
            && let Some((why, repaired)) = app_id::problem(&id)
        {
            found.push(wrong(&pointer, text, &why, repaired));
        }
    }
}

fn wrong(pointer: &str, id: &str, why: &str, repaired: Option<String>) -> Finding {
    const FORM: &str =
        "an id is parts of lower-case letters, digits and inner hyphens, as in `/shop/web-1`";
    Finding::new(pointer, format!("`{id}` is no id of an app: {why}"))
        .help(repaired.map_or(FORM.to_owned(), |repaired| format!("write `\"{repaired}\"`")))
}
