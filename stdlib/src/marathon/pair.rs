//! The two apps of a blue/green deployment: the one that has the traffic, and the one that comes.

use pipe_grammar::Code;

use super::{
    balancer::LoadBalancer, definition::Definition, site::Site, traffic, withdraw::withdraw,
};
use crate::{
    client::marathon::App,
    core::{Failure, Intent},
};

/// The two.
pub(super) struct Pair {
    /// The app that has the traffic.
    pub(super) old: Option<App>,
    /// The id of the app that comes.
    pub(super) id: String,
    /// Its colour.
    pub(super) colour: &'static str,
    /// Service ports that others of them have.
    pub(super) taken: Vec<u64>,
}

/// Finds who has the traffic: the app of the definition itself, or `ID-blue`, or `ID-green`. What
/// an earlier run has left in the way is removed, if that was this run, or by `force`.
///
/// # Errors
///
/// The app that runs can't share its traffic, or somebody else is at work.
pub(super) async fn find(
    site: &Site<'_>,
    definition: &Definition,
    group: &str,
    balancer: Option<&LoadBalancer>,
    force: bool,
) -> Result<Pair, Failure> {
    let mut apps = Vec::new();
    for end in ["", "-blue", "-green"] {
        apps.extend(site.app(&format!("{}{end}", definition.id)).await?);
    }
    let mut live: Vec<&App> =
        apps.iter().filter(|app| app.instances > 0 && traffic::has_traffic(&app.json)).collect();
    if live.iter().any(|app| traffic::group(&app.json) != Some(group)) {
        return Err(traffic::no_group(definition, "runs without"));
    }
    // After a switch that was cut off there are two: the newer one, if it works.
    live.sort_by_key(|app| traffic::started(&app.json).to_owned());
    let serves = live.iter().rposition(|app| is_well(app)).unwrap_or(0);
    let old = live.get(serves).map(|app| (*app).clone());
    live.retain(|app| old.as_ref().is_some_and(|old| old.id != app.id));
    let green = format!("{}-green", definition.id);
    let colour = match &old {
        Some(old) if old.id != green => "green",
        _ => "blue",
    };
    let id = format!("{}-{colour}", definition.id);
    let in_the_way: Vec<&App> = apps
        .iter()
        .filter(|app| live.iter().any(|live| live.id == app.id) || (app.id == id && alive(app)))
        .collect();
    for app in in_the_way {
        if !force && !is_ours(site, &app.id) {
            return Err(busy(app, old.as_ref()));
        }
        site.say(format!("`{}` is left of a run that was cut off: it goes first", app.id));
        withdraw(site, &app.id, balancer).await?;
    }
    let taken = old.iter().flat_map(|old| traffic::service_ports(&old.json)).collect();
    Ok(Pair { old, id, colour, taken })
}

fn alive(app: &App) -> bool {
    app.instances > 0 || !app.tasks.is_empty()
}

/// Whether it has as many healthy tasks as it should have.
fn is_well(app: &App) -> bool {
    let checks = app.json["healthChecks"].as_array().map_or(0, Vec::len);
    let well = app
        .tasks
        .iter()
        .filter(|task| task.running() && (checks == 0 || task.healthy(checks) == Some(true)));
    well.count() as u64 >= app.instances
}

/// Whether this run has made it, or was to remove it, before it was interrupted.
pub(super) fn is_ours(site: &Site<'_>, id: &str) -> bool {
    let url = site.client.url();
    site.call.report.intended().iter().any(|intent| match intent {
        Intent::Beside { marathon, app, .. } => app == id && marathon == url,
        Intent::Promote { marathon, instead, .. } => {
            instead.as_deref() == Some(id) && marathon == url
        }
        _ => false,
    })
}

fn busy(app: &App, old: Option<&App>) -> Failure {
    let id = &app.id;
    let what = match old.filter(|_| traffic::has_traffic(&app.json)) {
        Some(old) => format!("both `{id}` and `{}` have traffic: a switch was cut off", old.id),
        None => format!(
            "`{id}` is there already, without traffic: another run tries it, or one was cut off"
        ),
    };
    Failure::infrastructure(Code::APP_LOCKED, what)
        .help(format!("when no other run is at work, `force: true` removes `{id}` first"))
}
