//! Upgrades, single instances, apps with volumes of their own, agents out of reach.

use super::{
    super::{
        super::super::client::marathon::ServerVersion,
        finding::{Finding, V1_5},
        known::Known,
    },
    rules, volumes,
};

rules! { strategy: both_capacities, single_instance, resident_upgrade, resident_unreachable, resident_roles, residency_of_nothing, inactive_before_expunged }

const CAPACITIES: [&str; 2] = ["minimumHealthCapacity", "maximumOverCapacity"];

fn both_capacities(app: &Known, found: &mut Vec<Finding>) {
    let strategy = app.at("upgradeStrategy");
    if !strategy.is_there() {
        return;
    }
    for field in CAPACITIES.into_iter().filter(|field| strategy.at(field).is_absent()) {
        let what = format!("`upgradeStrategy` needs `{field}`");
        found.push(
            Finding::new("/upgradeStrategy", what)
                .on_key()
                .help("before 1.5 it was 1 without it")
                .since(V1_5),
        );
    }
}

fn single_instance(app: &Known, found: &mut Vec<Finding>) {
    if app.at("labels").at("MARATHON_SINGLE_INSTANCE_APP").text() != Some("true") {
        return;
    }
    const WHY: &str = "`MARATHON_SINGLE_INSTANCE_APP`";
    if app.at("instances").whole().is_some_and(|instances| instances > 1) {
        let what = format!("an app with the label {WHY} has at most one task");
        found.push(Finding::new("/instances", what));
    }
    let strategy = app.at("upgradeStrategy");
    if strategy.is_absent() {
        let what = format!("an app with the label {WHY} needs an `upgradeStrategy` of 0 and 0");
        found.push(Finding::new("", what).on_key().before(V1_5));
    }
    for field in CAPACITIES {
        if strategy.at(field).number().is_some_and(|capacity| capacity != 0.0) {
            let what = format!("an app with the label {WHY} has a `{field}` of 0");
            found.push(Finding::new(format!("/upgradeStrategy/{field}"), what));
        }
    }
}

/// An app whose tasks stay on their agents.
fn is_resident(app: &Known) -> bool {
    app.at("residency").is_there() || volumes::has_persistent(app)
}

fn resident_upgrade(app: &Known, found: &mut Vec<Finding>) {
    let over = app.at("upgradeStrategy").at("maximumOverCapacity");
    if is_resident(app) && over.number().is_some_and(|over| over != 0.0) {
        found.push(
            Finding::new(
                "/upgradeStrategy/maximumOverCapacity",
                "an app with persistent volumes has no more tasks than instances in an upgrade",
            )
            .help("write `0`"),
        );
    }
}

fn resident_unreachable(app: &Known, found: &mut Vec<Finding>) {
    if is_resident(app) && matches!(app.at("unreachableStrategy"), Known::Object(_)) {
        found.push(
            Finding::new(
                "/unreachableStrategy",
                "a task with persistent volumes is not replaced when its agent is out of reach",
            )
            .on_key()
            .help("write `\"unreachableStrategy\": \"disabled\"`, or leave it out"),
        );
    }
}

fn resident_roles(app: &Known, found: &mut Vec<Finding>) {
    let other = |role: &Known| role.text().is_some_and(|role| role != "*");
    if is_resident(app) && app.at("acceptedResourceRoles").items().iter().any(other) {
        found.push(
            Finding::new(
                "/acceptedResourceRoles",
                "an app with persistent volumes takes only the role `*`",
            )
            .on_key()
            .help("write `[\"*\"]`, or leave it out"),
        );
    }
}

fn residency_of_nothing(app: &Known, found: &mut Vec<Finding>) {
    let none = app.at("container").is_absent() || app.at("container").at("volumes").lacks_items();
    if app.at("residency").is_there() && none {
        let what = "`residency` without a persistent volume";
        found.push(Finding::new("/residency", what).on_key().before(V1_5));
    }
}

fn inactive_before_expunged(app: &Known, found: &mut Vec<Finding>) {
    let strategy = app.at("unreachableStrategy");
    if !matches!(strategy, Known::Object(_)) {
        return;
    }
    let (inactive, expunge) =
        (strategy.at("inactiveAfterSeconds"), strategy.at("expungeAfterSeconds"));
    let finding = |inactive: i64, expunge: i64| {
        let what = format!(
            "`inactiveAfterSeconds` ({inactive}) is more than `expungeAfterSeconds` ({expunge})"
        );
        Finding::new("/unreachableStrategy/inactiveAfterSeconds", what)
            .help("a task is given up last: `expungeAfterSeconds` is the longer time")
    };
    match (inactive.whole(), expunge.whole()) {
        (Some(inactive), Some(expunge)) if inactive > expunge => {
            found.push(finding(inactive, expunge))
        }
        (Some(inactive), Some(expunge)) if inactive == expunge || inactive == 0 => {
            found.push(finding(inactive, expunge).before(V1_5));
        }
        // Both are 0 by themselves since 1.5.1.
        (Some(inactive), None) if inactive > 0 && expunge.is_absent() => {
            found.push(finding(inactive, 0).since(ServerVersion(1, 5, 1)));
        }
        _ => {}
    }
}
