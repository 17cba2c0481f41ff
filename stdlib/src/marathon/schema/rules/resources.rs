//! What a task needs.

use super::{
    super::{finding::Finding, known::Known, network::is_docker},
    rules,
};

rules! { resources: gpus, limits, roles }

fn gpus(app: &Known, found: &mut Vec<Finding>) {
    if app.at("gpus").whole().is_some_and(|gpus| gpus > 0) && is_docker(app) == Some(true) {
        found.push(
            Finding::new("/gpus", "a container of type `DOCKER` gets no GPU")
                .help("`\"type\": \"MESOS\"` does"),
        );
    }
}

fn limits(app: &Known, found: &mut Vec<Finding>) {
    for (field, default) in [("cpus", 1.0), ("mem", 128.0)] {
        let asked = match app.at(field) {
            Known::Absent => Some(default),
            value => value.number(),
        };
        let limit = app.at("resourceLimits").at(field).number();
        if let (Some(asked), Some(limit)) = (asked, limit)
            && limit < asked
        {
            let what = format!(
                "the limit of `{field}` ({limit}) is below what the app asks for ({asked})"
            );
            found.push(Finding::new(format!("/resourceLimits/{field}"), what));
        }
    }
}

/// `state/ResourceRole.scala`.
fn roles(app: &Known, found: &mut Vec<Finding>) {
    let roles = app.at("acceptedResourceRoles");
    if matches!(roles, Known::List(roles) if roles.is_empty()) {
        found.push(
            Finding::new("/acceptedResourceRoles", "`acceptedResourceRoles` is empty")
                .on_key()
                .help("leave it out, or write `[\"*\"]`"),
        );
    }
    for (at, role) in roles.items().iter().enumerate() {
        let Some(role) = role.text() else { continue };
        let legal = |c: char| !c.is_whitespace() && c != '/' && c != '\u{7f}' && c != '\u{b}';
        if matches!(role, "" | "." | "..") || role.starts_with('-') || !role.chars().all(legal) {
            let what = format!("`{role}` is no name of a role");
            found.push(Finding::new(format!("/acceptedResourceRoles/{at}"), what));
        }
    }
}
