//! Readiness checks.

use pipe_grammar::diagnostic::{did_you_mean, list_or};

use super::{
    super::{finding::Finding, known::Known, network::ports},
    rules,
};

rules! { readiness: at_most_one, port_is_there, answers_in_time }

fn checks(app: &Known) -> impl Iterator<Item = (String, &Known)> {
    let items = app.at("readinessChecks").items().iter().enumerate();
    items.map(|(at, check)| (format!("/readinessChecks/{at}"), check))
}

fn at_most_one(app: &Known, found: &mut Vec<Finding>) {
    if let Some((pointer, _)) = checks(app).nth(1) {
        found.push(Finding::new(pointer, "an app has at most one readiness check").on_key());
    }
}

fn port_is_there(app: &Known, found: &mut Vec<Finding>) {
    let Some(ports) = ports(app) else { return };
    let names: Vec<&str> = ports.into_iter().flatten().collect();
    for (pointer, check) in checks(app) {
        let written = check.at("portName");
        let name = match written {
            Known::Absent => "http-api",
            written => match written.text() {
                Some(name) => name,
                None => continue,
            },
        };
        if names.contains(&name) {
            continue;
        }
        let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let help = match shown.as_slice() {
            [] => format!("give the port a name: `\"name\": \"{name}\"`"),
            names => format!("its ports are called {}", list_or(names)),
        };
        let finding = if written.is_absent() {
            let what = "the readiness check asks the port `http-api`, which the app does not have";
            Finding::new(pointer, what).on_key().help(help)
        } else {
            Finding::new(format!("{pointer}/portName"), format!("no port is called `{name}`"))
                .help(help)
                .help_if(did_you_mean(name, names.iter().copied()))
        };
        found.push(finding);
    }
}

fn answers_in_time(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, check) in checks(app) {
        let seconds = |field: &str, default: i64| match check.at(field) {
            Known::Absent => Some(default),
            value => value.whole(),
        };
        let (timeout, interval) = (seconds("timeoutSeconds", 10), seconds("intervalSeconds", 30));
        if let (Some(timeout), Some(interval)) = (timeout, interval)
            && timeout >= interval
        {
            let written = ["timeoutSeconds", "intervalSeconds"]
                .into_iter()
                .find(|field| check.at(field).is_there())
                .unwrap_or("timeoutSeconds");
            let what = format!(
                "`timeoutSeconds` ({timeout}) has to be less than `intervalSeconds` ({interval})"
            );
            found.push(Finding::new(format!("{pointer}/{written}"), what));
        }
    }
}
