//! Volumes.

use super::{
    super::{finding::Finding, known::Known, network::is_docker, text::regex_problem},
    rules,
};

rules! { volumes: kind, persistent, persistent_size, persistent_constraints, external, external_instances, secret }

const KINDS: [&str; 4] = ["hostPath", "persistent", "external", "secret"];

fn volumes(app: &Known) -> impl Iterator<Item = (String, &Known)> {
    let items = app.at("container").at("volumes").items().iter().enumerate();
    items.map(|(at, volume)| (format!("/container/volumes/{at}"), volume))
}

/// Whether a volume lives as long as the app, and not as a task.
pub(super) fn has_persistent(app: &Known) -> bool {
    volumes(app).any(|(_, volume)| volume.at("persistent").is_there())
}

fn kind(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, volume) in volumes(app) {
        if !matches!(volume, Known::Object(_)) {
            continue;
        }
        if KINDS.iter().all(|kind| volume.at(kind).is_absent()) {
            found.push(
                Finding::new(pointer, "the volume does not say where its files are")
                    .on_key()
                    .help("add a `hostPath`, or `persistent`, `external`, `secret`"),
            );
        } else if volume.at("secret").is_absent() && volume.at("mode").is_absent() {
            found.push(
                Finding::new(pointer, "the volume needs a `mode`")
                    .on_key()
                    .help("`RW`, or `RO` for a volume that is only read"),
            );
        }
    }
}

fn persistent(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, volume) in volumes(app).filter(|(_, v)| v.at("persistent").is_there()) {
        if let Some(path) = volume.at("containerPath").text()
            && (path.contains('/') || path == "." || path == "..")
        {
            found.push(
                Finding::new(
                    format!("{pointer}/containerPath"),
                    "a persistent volume lies in the task's folder: its path is a plain name",
                )
                .help("a `hostPath` volume beside it puts it elsewhere in the container"),
            );
        }
        if volume.at("mode").text().is_some_and(|mode| mode.eq_ignore_ascii_case("RO")) {
            let what = "a persistent volume is one to write to";
            found.push(Finding::new(format!("{pointer}/mode"), what).help("write `\"RW\"`"));
        }
    }
}

fn persistent_size(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, volume) in volumes(app) {
        let (pointer, info) = (format!("{pointer}/persistent"), volume.at("persistent"));
        let (size, most) = (info.at("size").whole(), info.at("maxSize"));
        if size == Some(0) {
            let what = "a persistent volume has a size, in MiB";
            found.push(Finding::new(format!("{pointer}/size"), what));
        }
        if !most.is_there() {
            continue;
        }
        let kind = info.at("type");
        let mount = kind.text().is_some_and(|kind| kind.eq_ignore_ascii_case("mount"));
        if !mount && (kind.is_absent() || kind.text().is_some()) {
            let what = "only a volume of type `mount` has a `maxSize`";
            found.push(Finding::new(format!("{pointer}/maxSize"), what).on_key());
        } else if let (Some(size), Some(most)) = (size, most.whole())
            && most <= size
        {
            let what = format!("`maxSize` ({most}) has to be more than `size` ({size})");
            found.push(Finding::new(format!("{pointer}/maxSize"), what));
        }
    }
}

fn persistent_constraints(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, volume) in volumes(app) {
        let info = volume.at("persistent");
        let (pointer, constraints) =
            (format!("{pointer}/persistent/constraints"), info.at("constraints"));
        let kind = info.at("type");
        let root = kind.text().is_some_and(|kind| kind.eq_ignore_ascii_case("root"));
        if (root || kind.is_absent()) && constraints.has_items() {
            let what = "a volume of type `root` has no constraints";
            found.push(
                Finding::new(&pointer, what).on_key().help("volumes of type `path` and `mount` do"),
            );
        }
        for (at, constraint) in constraints.items().iter().enumerate() {
            let Known::List(parts) = constraint else { continue };
            let parts: Vec<Option<&str>> = parts.iter().map(Known::text).collect();
            let pointer = format!("{pointer}/{at}");
            let what = match parts.as_slice() {
                [Some("path"), Some("LIKE" | "UNLIKE"), Some(pattern)] => {
                    let Some(why) = regex_problem(pattern) else { continue };
                    format!("`{pattern}` is no regular expression: {why}")
                }
                parts if parts.iter().any(Option::is_none) => continue,
                _ => "a constraint of a volume compares its path".to_owned(),
            };
            let help = "`[\"path\", \"LIKE\", \"…\"]` or `UNLIKE`, with a regular expression";
            found.push(Finding::new(pointer, what).on_key().help(help));
        }
    }
}

fn external(app: &Known, found: &mut Vec<Finding>) {
    const DRIVER: &str = "dvdi/driver";
    let mut names = Vec::new();
    for (pointer, volume) in volumes(app).filter(|(_, v)| v.at("external").is_there()) {
        let (pointer, external) = (format!("{pointer}/external"), volume.at("external"));
        if let Some(name) = external.at("name").text() {
            if names.contains(&name) {
                let what = format!("two volumes are called `{name}`");
                found.push(Finding::new(format!("{pointer}/name"), what));
            }
            names.push(name);
        }
        let provider = external.at("provider");
        for field in ["name", "provider"] {
            if external.at(field).is_absent() {
                let what = format!("an external volume needs a `{field}`");
                found.push(Finding::new(&pointer, what).on_key());
            }
        }
        let Some(provider) = provider.text() else { continue };
        if !matches!(provider, "dvdi" | "csi") {
            let what = format!("no provider of volumes is called `{provider}`");
            found.push(
                Finding::new(format!("{pointer}/provider"), what).help("it is `dvdi` or `csi`"),
            );
        }
        if provider != "dvdi" {
            continue;
        }
        if external.at("options").at(DRIVER).is_absent() {
            let what = "the volume does not name its driver";
            let help = "add it to `options`: `\"dvdi/driver\": \"rexray\"`";
            found.push(Finding::new(&pointer, what).on_key().help(help));
        }
        if is_docker(app) != Some(true) {
            continue;
        }
        let mut others = external.at("options").fields().filter(|(key, _)| *key != DRIVER);
        if let Some((key, _)) = others.next() {
            let key = super::super::super::pointer::step(key);
            let what = "in a container of type `DOCKER` a volume has no option but `dvdi/driver`";
            found.push(Finding::new(format!("{pointer}/options{key}"), what).on_key());
        }
        if external.at("size").is_there() {
            let what = "in a container of type `DOCKER` a volume has no `size`";
            found.push(Finding::new(format!("{pointer}/size"), what).on_key());
        }
    }
}

/// A volume of this kind is mounted by one task (`DVDIProvider.haveOnlyOneInstance`).
fn external_instances(app: &Known, found: &mut Vec<Finding>) {
    let single = |volume: &Known| volume.at("external").at("provider").text() == Some("dvdi");
    if !volumes(app).any(|(_, volume)| single(volume)) {
        return;
    }
    if app.at("instances").whole().is_some_and(|instances| instances > 1) {
        let what = "an app with an external volume of `dvdi` has one task";
        found.push(Finding::new("/instances", what));
    }
    if app.at("upgradeStrategy").at("maximumOverCapacity").number().is_some_and(|over| over > 0.0) {
        let what = "an app with an external volume of `dvdi` has no second task in an upgrade";
        found.push(Finding::new("/upgradeStrategy/maximumOverCapacity", what).help("write `0`"));
    }
}

fn secret(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, volume) in volumes(app) {
        if let Some(secret) = volume.at("secret").text() {
            found.extend(super::secrets::defined(app, secret, &format!("{pointer}/secret")));
        }
    }
}
