//! The app definition that a call works with: read, patched by `with:`, and ready to be sent.

use std::path::PathBuf;

use pipe_grammar::{Code, Severity};
use serde_json::Value as Json;

use super::{
    advice::image,
    normalise::{READ_ONLY, absolute, without_nulls},
    schema::{AppProblem, Known, On, app_problems},
    text::{place, read_definition},
};
use crate::{
    client::marathon::ServerVersion,
    core::{Arguments, Call, Failure, Problem, Spot, Value, read_text},
};

/// An app definition.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// As it is sent, but for what the server's version asks for.
    pub(super) json: Json,
    /// The app's id, absolute.
    pub(super) id: String,
    /// What `with:` changed.
    with: Json,
    /// Whether the argument `strategy` changed it.
    strategy: bool,
    /// The file that it was read from.
    file: Option<(PathBuf, String)>,
    /// Where in what was given the definition is: in `/app`, if it is an answer to a GET.
    within: &'static str,
}

impl Definition {
    /// One that nothing was merged into.
    #[cfg(test)]
    pub(super) fn bare(id: &str, json: Json) -> Self {
        let with = Json::Object(serde_json::Map::new());
        Self { json, id: id.to_owned(), with, strategy: false, file: None, within: "" }
    }

    /// Reads the arguments `definition`, `with` and `strategy`.
    pub(super) async fn read(call: &Call<'_>, arguments: &Arguments) -> Result<Self, Failure> {
        let mut file = None;
        let mut json = match arguments.value("definition") {
            Value::String(path) | Value::Path(path) => {
                let (path, text) = read_text(call.world, call.dir, path, "definition")?;
                let json = read_definition(&path.to_string_lossy(), &text);
                let json = json.map_err(|(code, problem)| problem.in_file(code, path.clone()))?;
                file = Some((path, text));
                json
            }
            value => from_value(value, "definition")?,
        };
        let mut within = "";
        if json["app"].is_object() && json["id"].is_null() {
            json = json["app"].take();
            within = "/app";
        }
        let with = match arguments.value("with") {
            Value::Null => Json::Object(serde_json::Map::new()),
            value => from_value(value, "with")?,
        };
        if json.is_object() {
            merge(&mut json, &with);
        }
        let strategy = arguments.value("strategy");
        let replaced = !strategy.is_null() && json.is_object();
        if replaced {
            json["upgradeStrategy"] = from_value(strategy, "strategy")?;
        }
        let mut definition =
            Self { json, id: String::new(), with, strategy: replaced, file, within };
        definition.check(None)?;
        definition.strip(call);
        definition.json = without_nulls(&definition.json);
        definition.id = absolute(definition.json["id"].as_str().unwrap_or_default(), "/");
        definition.json["id"] = Json::from(definition.id.clone());
        definition.use_local_registry(call);
        Ok(definition)
    }

    /// Looks whether a server would take it; without a version, whether any would. Returns what
    /// does nothing there.
    pub(super) fn check(&self, server: Option<ServerVersion>) -> Result<Vec<String>, Failure> {
        let problems = app_problems(&Known::from(&self.json), server);
        let (errors, warnings): (Vec<AppProblem>, Vec<AppProblem>) =
            problems.into_iter().partition(|problem| problem.severity == Severity::Error);
        let count = errors.len();
        let mut errors = errors.into_iter().map(|problem| Problem {
            spot: self.place_of(&problem),
            message: problem.message,
            label: String::new(),
            help: problem.help.into_iter().collect(),
        });
        match (count, errors.next()) {
            (1, Some(error)) => {
                let failure = Failure::new(Code::INVALID_APP, error.message).at(error.spot);
                Err(error.help.into_iter().fold(failure, Failure::help))
            }
            (count, Some(first)) => {
                let what = format!("{count} things are wrong in the app definition");
                let failure = Failure::new(Code::INVALID_APP, what).at_argument("definition");
                let all = std::iter::once(first).chain(errors);
                Err(all.fold(failure, Failure::problem))
            }
            (_, None) => Ok(warnings
                .into_iter()
                .map(|problem| match problem.help {
                    Some(help) => format!("{}: {help}", problem.message),
                    None => problem.message,
                })
                .collect()),
        }
    }

    /// Where in the call a mistake lies, in the file if it was read from one.
    fn place_of(&self, problem: &AppProblem) -> Spot {
        let spot = self.spot(&problem.pointer);
        match (&spot, &self.file) {
            (Spot::Pointer { argument: "definition", pointer }, Some((path, text))) => {
                // A thing around the value is named by its beginning.
                let exact = *pointer == format!("{}{}", self.within, problem.pointer);
                let on = if exact { problem.on } else { On::Key };
                match place(&path.to_string_lossy(), text, pointer, on) {
                    Some(bytes) => Spot::File { path: path.clone(), bytes },
                    None => spot,
                }
            }
            _ => spot,
        }
    }

    /// Where in the call the value stands that a server names by its own pointer: in `with:`, if
    /// that sets it, else in the definition; the nearest thing around it when there is no such
    /// value.
    pub(super) fn spot(&self, pointer: &str) -> Spot {
        if self.strategy && pointer.starts_with("/upgradeStrategy") {
            return Spot::Argument("strategy");
        }
        let written = self.as_written(pointer);
        let mut here = written.as_str();
        loop {
            let found = |json: &Json| json.pointer(here).is_some();
            if !here.is_empty() && found(&self.with) {
                return Spot::Pointer { argument: "with", pointer: here.to_owned() };
            }
            if found(&self.json) {
                let pointer = format!("{}{here}", self.within);
                return Spot::Pointer { argument: "definition", pointer };
            }
            match here.rsplit_once('/') {
                Some((around, _)) => here = around,
                None => return Spot::Argument("definition"),
            }
        }
    }

    /// Servers of 1.5 and later name the new form of a field; here may stand the old one.
    fn as_written(&self, pointer: &str) -> String {
        const OLD: &[(&str, &str)] = &[
            ("/container/portMappings", "/container/docker/portMappings"),
            ("/networks", "/container/docker/network"),
            ("/networks", "/ipAddress"),
            ("/portDefinitions", "/ports"),
            ("/fetch", "/uris"),
        ];
        let has = |pointer: &str| self.json.pointer(pointer).is_some();
        for (new, old) in OLD {
            if let Some(rest) = pointer.strip_prefix(new)
                && !has(new)
                && has(old)
            {
                return format!("{old}{rest}");
            }
        }
        pointer.to_owned()
    }

    /// What a server answers to a GET can be given as it is.
    fn strip(&mut self, call: &Call<'_>) {
        let Json::Object(fields) = &mut self.json else { return };
        let mut gone: Vec<&str> =
            READ_ONLY.iter().copied().filter(|name| fields.shift_remove(*name).is_some()).collect();
        if !gone.is_empty() {
            // Up to 1.4 an answer has both forms of these, and no server takes both.
            for (old, new) in [("uris", "fetch"), ("ports", "portDefinitions")] {
                if fields.contains_key(new) && fields.shift_remove(old).is_some() {
                    gone.push(old);
                }
            }
            call.report.say(&format!(
                "left out of the definition what only a server writes: {}",
                gone.join(", ")
            ));
        }
    }

    fn use_local_registry(&mut self, call: &Call<'_>) {
        let Some(local) = &call.connections.local else { return };
        let Some(image) = image(&self.json) else { return };
        let here = local.image(image);
        if here != image {
            call.report.say(&format!("{image} is {here} in the local cluster"));
            self.json["container"]["docker"]["image"] = Json::from(here);
        }
    }
}

/// Why Marathon would refuse an absolute id (`state/PathId.scala`).
pub(super) fn wrong_id(id: &str) -> Option<String> {
    let well_formed = |part: &str| {
        part.split('.').all(|label| {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !label.is_empty()
                && label.chars().all(legal)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
    };
    let parts: Vec<&str> = id.split('/').skip(1).collect();
    match parts.last() {
        None | Some(&"") => return Some("it names no app".to_owned()),
        Some(last @ (&"restart" | &"tasks" | &"versions")) => {
            return Some(format!("`{last}` at its end is part of Marathon's own addresses"));
        }
        Some(_) => {}
    }
    parts.iter().find(|part| !well_formed(part)).map(|part| format!("`{part}` is not well formed"))
}

/// Records merge, everything else replaces; null removes.
fn merge(base: &mut Json, with: &Json) {
    match (base, with) {
        (Json::Object(base), Json::Object(with)) => {
            for (key, value) in with {
                merge(base.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (base, with) => *base = with.clone(),
    }
}

/// A value of the language as a part of a definition, unless it holds a secret.
fn from_value(value: &Value, argument: &'static str) -> Result<Json, Failure> {
    if value.holds_secret() {
        return Err(Failure::new(
            Code::SECRET_LEAK,
            "a secret in an app definition can be read by everybody who may ask Marathon",
        )
        .at_argument(argument)
        .help(
            "name a secret of the cluster: `env: { TOKEN: { secret: \"token\" } }, secrets: …`",
        ));
    }
    Ok(as_json(value))
}

/// A value of the language as a part of a definition, where sizes are MiB and times seconds.
#[must_use]
pub fn as_json(value: &Value) -> Json {
    const MEBIBYTE: u64 = 1 << 20;
    match value {
        Value::Size(bytes) if bytes % MEBIBYTE == 0 => Json::from(bytes / MEBIBYTE),
        #[expect(clippy::cast_precision_loss, reason = "a fraction of a MiB is no exact thing")]
        Value::Size(bytes) => Json::from(*bytes as f64 / MEBIBYTE as f64),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Record(fields) => {
            fields.iter().map(|(key, value)| (key.to_string(), as_json(value))).collect()
        }
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn definition(json: Json, with: Json) -> Definition {
        let mut merged = json;
        merge(&mut merged, &with);
        let id = "/a".to_owned();
        Definition { json: merged, id, with, strategy: false, file: None, within: "" }
    }

    fn pointed(spot: &Spot) -> (&'static str, &str) {
        match spot {
            Spot::Pointer { argument, pointer } => (argument, pointer),
            Spot::Argument(argument) => (argument, ""),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_merge_and_lists_replace() {
        let mut base = json!({ "env": { "A": "1", "B": "2" }, "args": [1, 2], "cpus": 1 });
        merge(
            &mut base,
            &json!({ "env": { "B": null, "C": "3" }, "args": [3], "labels": { "x": "y" } }),
        );
        assert_eq!(
            without_nulls(&base),
            json!({ "env": { "A": "1", "C": "3" }, "args": [3], "cpus": 1, "labels": { "x": "y" } })
        );
    }

    #[test]
    fn a_pointer_of_the_server_is_found_where_the_value_was_written() {
        let app = definition(
            json!({ "id": "/a", "healthChecks": [{ "path": "/x" }], "container": { "docker":
                { "image": "a", "network": "BRIDGE", "portMappings": [{ "containerPort": 1 }] } } }),
            json!({ "container": { "docker": { "image": "b" } } }),
        );
        let spot = |pointer| app.spot(pointer);
        assert_eq!(pointed(&spot("/container/docker/image")), ("with", "/container/docker/image"));
        assert_eq!(pointed(&spot("/healthChecks/0/path")), ("definition", "/healthChecks/0/path"));
        assert_eq!(pointed(&spot("/healthChecks/0/port")), ("definition", "/healthChecks/0"));
        assert_eq!(
            pointed(&spot("/container/portMappings/0/containerPort")),
            ("definition", "/container/docker/portMappings/0/containerPort")
        );
        assert_eq!(pointed(&spot("/networks/0/mode")), ("definition", "/container/docker/network"));
        assert_eq!(pointed(&spot("/mem")), ("definition", ""));
    }

    #[test]
    fn ids_are_checked_as_marathon_does() {
        let vectors: Json =
            serde_json::from_str(include_str!("../../tests/data/marathon/app-ids.json")).unwrap();
        let list =
            |name: &str| -> Vec<String> { serde_json::from_value(vectors[name].clone()).unwrap() };
        for id in list("wellFormed").iter().filter(|id| *id != "/") {
            assert_eq!(wrong_id(&absolute(id, "/g/h")).filter(|_| id != "/x/.."), None, "{id}");
        }
        for id in list("notWellFormed").into_iter().chain(list("reservedLastSegment(1.8+)")) {
            assert!(wrong_id(&id).is_some(), "{id}");
        }
    }

    #[test]
    fn sizes_are_mebibytes_and_secrets_stay_out() {
        let value =
            Value::record([("mem", Value::Size(128 << 20)), ("disk", Value::Size(512 << 10))]);
        assert_eq!(from_value(&value, "with").unwrap(), json!({ "mem": 128, "disk": 0.5 }));
        let secret = Value::record([("env", Value::Secret(crate::core::Secret::new("hunter22")))]);
        assert_eq!(from_value(&secret, "with").unwrap_err().code, Code::SECRET_LEAK);
    }
}
