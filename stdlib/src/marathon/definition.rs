//! The app definition that a call works with: read, patched by `with:`, and ready to be sent.

use std::path::{Path, PathBuf};

use pipe_grammar::Code;
use serde_json::Value as Json;

use super::{
    advice::image,
    fields,
    normalise::{READ_ONLY, absolute, without_nulls},
    pointer,
};
use crate::core::{Arguments, Call, Failure, Spot, Value};

/// An app definition.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// As it is sent, but for what the server's version asks for.
    pub(super) json: Json,
    /// The app's id, absolute.
    pub(super) id: String,
    /// What `with:` changed.
    with: Json,
    /// What the argument `strategy` changed.
    strategy: bool,
}

impl Definition {
    /// Reads the arguments `definition`, `with` and `strategy`.
    pub(super) async fn read(call: &Call<'_>, arguments: &Arguments) -> Result<Self, Failure> {
        let mut json = match arguments.value("definition") {
            Value::String(path) | Value::Path(path) => file(call, path).await?,
            value => from_value(value, "definition")?,
        };
        if json["app"].is_object() && json["id"].is_null() {
            json = json["app"].take();
        }
        refuse_other_things(&json)?;
        let with = match arguments.value("with") {
            Value::Null => Json::Object(serde_json::Map::new()),
            value => from_value(value, "with")?,
        };
        merge(&mut json, &with);
        let strategy = arguments.value("strategy");
        if !strategy.is_null() {
            json["upgradeStrategy"] = from_value(strategy, "strategy")?;
        }
        let mut definition = Self { json, id: String::new(), with, strategy: !strategy.is_null() };
        fields::refuse(&definition.json, |pointer| definition.spot(pointer))?;
        definition.strip(call);
        definition.json = without_nulls(&definition.json);
        definition.take_id()?;
        definition.use_local_registry(call);
        Ok(definition)
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
                return Spot::Pointer { argument: "definition", pointer: here.to_owned() };
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

    fn take_id(&mut self) -> Result<(), Failure> {
        let missing = || {
            Failure::new(Code::INVALID_APP, "the app definition has no `id`")
                .at_argument("definition")
                .help("give it one: `\"id\": \"/web\"`")
        };
        let written = self.json["id"].as_str().ok_or_else(missing)?.to_owned();
        self.id = absolute(&written, "/");
        if let Some(why) = wrong_id(&self.id) {
            return Err(Failure::new(
                Code::INVALID_APP,
                format!("`{written}` is no id that Marathon takes: {why}"),
            )
            .at(self.spot("/id"))
            .help("an id is parts of lower-case letters, digits and inner hyphens, as in `/shop/web-1`"));
        }
        self.json["id"] = Json::from(self.id.clone());
        Ok(())
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

fn refuse_other_things(json: &Json) -> Result<(), Failure> {
    let what = if !json.is_object() {
        "an app definition is an object"
    } else if json["apps"].is_array() || json["groups"].is_array() {
        "this is a group, not an app"
    } else if json["containers"].is_array() {
        "this is a pod, not an app"
    } else {
        return Ok(());
    };
    Err(Failure::new(Code::INVALID_APP, what)
        .at_argument("definition")
        .help("`marathon.deploy` takes the definition of one app: `{ \"id\": \"/web\", … }`"))
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

/// A value of the language as part of a definition. Marathon counts in MiB and in seconds.
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
    Ok(convert(value))
}

fn convert(value: &Value) -> Json {
    const MEBIBYTE: u64 = 1 << 20;
    match value {
        Value::Size(bytes) if bytes % MEBIBYTE == 0 => Json::from(bytes / MEBIBYTE),
        #[expect(clippy::cast_precision_loss, reason = "a fraction of a MiB is no exact thing")]
        Value::Size(bytes) => Json::from(*bytes as f64 / MEBIBYTE as f64),
        Value::List(items) => items.iter().map(convert).collect(),
        Value::Record(fields) => {
            fields.iter().map(|(key, value)| (key.to_string(), convert(value))).collect()
        }
        other => other.to_json(),
    }
}

async fn file(call: &Call<'_>, written: &str) -> Result<Json, Failure> {
    let path = call.world.path(call.dir, written).map_err(|f| f.at_argument("definition"))?;
    let shown = call.world.display(&path);
    if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
        return Err(Failure::new(
            Code::BAD_FILE,
            format!("`{shown}`: app definitions in YAML can't be read yet"),
        )
        .at_argument("definition")
        .help("write it as JSON"));
    }
    let text = tokio::fs::read_to_string(&path).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::new(Code::MISSING_FILE, format!("there is no file `{shown}`"))
                .at_argument("definition")
        }
        std::io::ErrorKind::InvalidData => {
            Failure::new(Code::BAD_FILE, format!("`{shown}` is not UTF-8 text"))
                .at_argument("definition")
        }
        _ => Failure::new(Code::BAD_FILE, format!("`{shown}` can't be read"))
            .at_argument("definition"),
    })?;
    parse(&text, &path, &shown)
}

fn parse(text: &str, path: &Path, shown: &str) -> Result<Json, Failure> {
    let at = |bytes| Spot::File { path: PathBuf::from(path), bytes };
    let json = serde_json::from_str(text).map_err(|error| {
        let place = offset(text, error.line(), error.column());
        let what = error.to_string();
        // serde_json adds ` at line 1 column 2`, which the place says better.
        let what = what.split(" at line").next().unwrap_or(&what).to_owned();
        Failure::new(Code::INVALID_JSON, format!("`{shown}` is not valid JSON"))
            .at(at(place..next_char(text, place)))
            .label(what)
    })?;
    if let Some((key, bytes)) = pointer::duplicates(text).into_iter().next() {
        let key = key.rsplit('/').next().unwrap_or_default().to_owned();
        return Err(Failure::new(
            Code::INVALID_JSON,
            format!("`{key}` stands twice in one object"),
        )
        .at(at(bytes))
        .label("only this one would count")
        .help("keep one of the two"));
    }
    Ok(json)
}

/// The byte at a line and a column, both from 1, the column in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn next_char(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn definition(json: Json, with: Json) -> Definition {
        let mut merged = json;
        merge(&mut merged, &with);
        Definition { json: merged, id: "/a".to_owned(), with, strategy: false }
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
    fn mistakes_in_a_file_have_their_place() {
        let path = Path::new("/r/marathon.json");
        let text = "{\n  \"id\": \"/a\"\n  \"cpus\": 1\n}";
        let failure = parse(text, path, "marathon.json").unwrap_err();
        let Spot::File { bytes, .. } = &failure.spot else { panic!("{failure:?}") };
        assert_eq!(&text[bytes.clone()], "\"");
        assert_eq!(text[..bytes.start].lines().count(), 3);
        assert_eq!(failure.label, "expected `,` or `}`");

        let text = "{ \"id\": \"/a\", \"cpus\": 1, \"cpus\": 2 }";
        let failure = parse(text, path, "marathon.json").unwrap_err();
        let Spot::File { bytes, .. } = &failure.spot else { panic!("{failure:?}") };
        assert_eq!((&text[bytes.clone()], bytes.start), ("\"cpus\"", 25));

        for text in ["", "{", "{\"é", "nul"] {
            assert_eq!(parse(text, path, "x").unwrap_err().code, Code::INVALID_JSON, "{text}");
        }
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
