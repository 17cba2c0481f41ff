//! Health checks, and the general check.

use pipe_grammar::diagnostic::count;

use super::{
    super::{
        finding::{Finding, V1_5},
        known::Known,
        network::{is_docker, mappings, ports},
    },
    rules,
};

rules! { health: port_of_check, one_check_of_mesos, command_of_check, address_family, fields_without_effect, kind_of_general_check }

fn checks(app: &Known) -> impl Iterator<Item = (String, &Known)> {
    let items = app.at("healthChecks").items().iter().enumerate();
    items.map(|(at, check)| (format!("/healthChecks/{at}"), check))
}

/// The protocol, in capitals; nothing if it is not known.
fn protocol(check: &Known) -> Option<String> {
    match check.at("protocol") {
        Known::Absent => Some("HTTP".to_owned()),
        protocol => protocol.text().map(str::to_ascii_uppercase),
    }
}

fn port_of_check(app: &Known, found: &mut Vec<Finding>) {
    let Some(ports) = ports(app) else { return };
    for (pointer, check) in checks(app) {
        let asks = protocol(check).is_some_and(|protocol| protocol != "COMMAND");
        if asks && check.at("command").is_absent() {
            found.extend(port(app, check, &pointer, ports.len()));
        }
    }
    let general = app.at("check");
    for kind in ["http", "tcp"] {
        if general.at(kind).is_there() {
            found.extend(port(app, general.at(kind), &format!("/check/{kind}"), ports.len()));
        }
    }
}

/// A check that asks a port: whether the app has it.
fn port(app: &Known, check: &Known, pointer: &str, ports: usize) -> Option<Finding> {
    const FREE: &str = "the port itself is given by `port`";
    let index = check.at("portIndex");
    let number = index.whole();
    if let Some(number) = number {
        let outside = usize::try_from(number).map_or(true, |number| number >= ports);
        let has = match ports {
            0 => "the app has none".to_owned(),
            1 => "the app has one, with the index 0".to_owned(),
            ports => format!("the app has {}, from 0", count("port", ports)),
        };
        let what = format!("there is no port with the index {number}: {has}");
        return outside.then(|| Finding::new(format!("{pointer}/portIndex"), what).help(FREE));
    }
    if !index.is_absent() || !check.at("port").is_absent() {
        return None;
    }
    if ports == 0 {
        let what = "the check has nothing to ask: the app has no port";
        return Some(Finding::new(pointer, what).on_key().help(FREE));
    }
    // Of several ports the first is taken, unless they stand in `ports` (`forDeprecated`).
    let (_, mappings) = mappings(app);
    let old = app.at("portDefinitions").is_absent() && mappings.is_absent();
    (ports > 1 && old).then(|| {
        let what = format!("the check does not say which of the {ports} ports it asks");
        Finding::new(pointer, what).on_key().help("add a `portIndex`, from 0").since(V1_5)
    })
}

fn one_check_of_mesos(app: &Known, found: &mut Vec<Finding>) {
    let of_mesos = |check: &Known| {
        let protocol = protocol(check).unwrap_or_default();
        check.at("command").is_absent() && protocol.starts_with("MESOS_")
    };
    if let Some((pointer, _)) = checks(app).filter(|(_, check)| of_mesos(check)).nth(1) {
        found.push(
            Finding::new(pointer, "an app has at most one check that Mesos runs")
                .on_key()
                .help("checks of HTTP, HTTPS and TCP without `MESOS_` are run by Marathon"),
        );
    }
}

fn command_of_check(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, check) in checks(app) {
        let (Some(protocol), command) = (protocol(check), check.at("command")) else { continue };
        if protocol == "COMMAND" && command.is_absent() {
            found.push(
                Finding::new(&pointer, "a check of `COMMAND` needs a `command`")
                    .on_key()
                    .help("`\"command\": { \"value\": \"…\" }`"),
            );
        }
        if !command.is_there() {
            continue;
        }
        if protocol != "COMMAND" {
            let what = format!("a check of `{protocol}` has no `command`");
            found.push(
                Finding::new(format!("{pointer}/command"), what)
                    .on_key()
                    .help("`\"protocol\": \"COMMAND\"` runs it")
                    .since(V1_5),
            );
            continue;
        }
        for field in ["path", "port"] {
            if check.at(field).is_there() {
                let what = format!("a check of `COMMAND` has no `{field}`");
                found.push(Finding::new(format!("{pointer}/{field}"), what).on_key().since(V1_5));
            }
        }
    }
}

fn address_family(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, check) in checks(app) {
        let six = check.at("ipProtocol").text().is_some_and(|p| p.eq_ignore_ascii_case("IPv6"));
        let mesos = protocol(check).map(|protocol| protocol.starts_with("MESOS_"));
        if six && (mesos == Some(false) || is_docker(app) == Some(false)) {
            found.push(
                Finding::new(format!("{pointer}/ipProtocol"), "this check can't ask by `IPv6`")
                    .help("checks of `MESOS_…` can, of a container of type `DOCKER`"),
            );
        }
    }
}

fn fields_without_effect(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, check) in checks(app) {
        let Some(protocol) = protocol(check) else { continue };
        let mut idle = |field: &str, what: String| {
            found.push(Finding::new(format!("{pointer}/{field}"), what).on_key().ignored());
        };
        if protocol.ends_with("TCP") && check.at("path").is_there() {
            idle(
                "path",
                format!("`path` means nothing to a check of `{protocol}`: it only connects"),
            );
        }
        if check.at("port").is_there() && check.at("portIndex").is_there() {
            idle("portIndex", "`portIndex` means nothing beside `port`".to_owned());
        }
        if check.at("ignoreHttp1xx").is_true() {
            let what = "`ignoreHttp1xx` means nothing since Marathon 1.5";
            found.push(
                Finding::new(format!("{pointer}/ignoreHttp1xx"), what).on_key().ignored_since(V1_5),
            );
        }
    }
}

fn kind_of_general_check(app: &Known, found: &mut Vec<Finding>) {
    let check = app.at("check");
    if !matches!(check, Known::Object(_)) {
        return;
    }
    let kinds = ["http", "tcp", "exec"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| check.at(kind).is_there()).collect();
    let help = "a check is one of `http`, `tcp`, `exec`";
    if let [first, second, ..] = given.as_slice() {
        let what = format!("`check` can't have `{first}` and `{second}`");
        found.push(Finding::new(format!("/check/{second}"), what).on_key().help(help));
    } else if kinds.into_iter().all(|kind| check.at(kind).is_absent()) {
        found.push(Finding::new("/check", "`check` does not say what it asks").on_key().help(help));
    }
    if is_docker(app) == Some(true) {
        found.push(
            Finding::new("/check", "a container of type `DOCKER` takes no `check`")
                .on_key()
                .help("`healthChecks` do, and `\"type\": \"MESOS\"` takes it"),
        );
    }
}
