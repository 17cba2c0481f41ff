//! Labels that Marathon itself reads.

use super::{
    super::{finding::Finding, known::Known},
    rules,
};

rules! { labels: migration }

fn migration(app: &Known, found: &mut Vec<Finding>) {
    const VERSION: &str = "DCOS_MIGRATION_API_VERSION";
    let labels = app.at("labels");
    let Some(version) = labels.at(VERSION).text().filter(|version| !version.is_empty()) else {
        return;
    };
    let pointer = format!("/labels/{VERSION}");
    if version != "v1" {
        found.push(Finding::new(&pointer, format!("`{VERSION}` is `v1`, not `{version}`")));
    }
    for other in ["DCOS_PACKAGE_FRAMEWORK_NAME", "DCOS_MIGRATION_API_PATH"] {
        let label = labels.at(other);
        if label.is_absent() || label.text() == Some("") {
            found.push(
                Finding::new(&pointer, format!("the label `{VERSION}` needs `{other}`")).on_key(),
            );
        }
    }
}
