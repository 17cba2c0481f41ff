//! The fields of an app definition. Marathon drops what it does not know without a word: a
//! misspelt `healthchecks` deploys an app that nobody checks.
//!
//! Fields of every generation: the JSON schemas of 0.8 to 1.7 and the RAML types of 1.10
//! (`docs/docs/rest-api/public/api/v2/types/`).

use pipe_grammar::{Code, diagnostic::did_you_mean};
use serde_json::Value as Json;

use super::pointer::step;
use crate::core::{Failure, Problem, Spot};

/// What an object may have, by its place; `*` is any item of a list. An object at a place that is
/// not listed is free: `env`, `labels`, the options of a volume driver.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "id",
            "cmd",
            "args",
            "user",
            "env",
            "instances",
            "cpus",
            "mem",
            "disk",
            "gpus",
            "executor",
            "executorResources",
            "resourceLimits",
            "constraints",
            "fetch",
            "uris",
            "storeUrls",
            "container",
            "networks",
            "ipAddress",
            "portDefinitions",
            "ports",
            "requirePorts",
            "healthChecks",
            "check",
            "readinessChecks",
            "dependencies",
            "upgradeStrategy",
            "labels",
            "acceptedResourceRoles",
            "role",
            "residency",
            "secrets",
            "backoffSeconds",
            "backoffFactor",
            "maxLaunchDelaySeconds",
            "taskKillGracePeriodSeconds",
            "killSelection",
            "unreachableStrategy",
            "tty",
        ],
    ),
    ("/check", &["http", "tcp", "exec", "intervalSeconds", "timeoutSeconds", "delaySeconds"]),
    ("/check/http", &["portIndex", "port", "path", "scheme"]),
    ("/check/tcp", &["portIndex", "port"]),
    ("/check/exec", &["command"]),
    ("/container", &["type", "docker", "appc", "volumes", "portMappings", "linuxInfo"]),
    ("/container/appc", &["image", "id", "labels", "forcePullImage"]),
    (
        "/container/docker",
        &[
            "image",
            "network",
            "portMappings",
            "forcePullImage",
            "privileged",
            "parameters",
            "credential",
            "pullConfig",
        ],
    ),
    ("/container/docker/credential", &["principal", "secret"]),
    ("/container/docker/parameters/*", &["key", "value"]),
    ("/container/docker/portMappings/*", PORT_MAPPING),
    ("/container/docker/pullConfig", &["secret"]),
    ("/container/linuxInfo", &["seccomp", "ipcInfo"]),
    ("/container/linuxInfo/ipcInfo", &["mode", "shmSize"]),
    ("/container/linuxInfo/seccomp", &["profileName", "unconfined"]),
    ("/container/portMappings/*", PORT_MAPPING),
    (
        "/container/volumes/*",
        &["containerPath", "hostPath", "mode", "persistent", "external", "secret"],
    ),
    ("/container/volumes/*/external", &["name", "provider", "options", "size", "shared"]),
    ("/container/volumes/*/persistent", &["size", "type", "maxSize", "constraints", "profileName"]),
    ("/executorResources", &["cpus", "mem", "disk"]),
    ("/fetch/*", &["uri", "extract", "executable", "cache", "destPath", "outputFile"]),
    (
        "/healthChecks/*",
        &[
            "protocol",
            "path",
            "port",
            "portIndex",
            "command",
            "gracePeriodSeconds",
            "intervalSeconds",
            "timeoutSeconds",
            "maxConsecutiveFailures",
            "delaySeconds",
            "ipProtocol",
            "ignoreHttp1xx",
        ],
    ),
    ("/healthChecks/*/command", &["value"]),
    ("/ipAddress", &["groups", "labels", "networkName", "discovery"]),
    ("/ipAddress/discovery", &["ports"]),
    ("/ipAddress/discovery/ports/*", &["number", "name", "protocol", "labels"]),
    ("/networks/*", &["mode", "name", "labels"]),
    ("/portDefinitions/*", &["port", "protocol", "name", "labels"]),
    (
        "/readinessChecks/*",
        &[
            "name",
            "protocol",
            "path",
            "portName",
            "intervalSeconds",
            "timeoutSeconds",
            "httpStatusCodesForReady",
            "preserveLastResponse",
        ],
    ),
    ("/residency", &["relaunchEscalationTimeoutSeconds", "taskLostBehavior"]),
    ("/resourceLimits", &["cpus", "mem"]),
    ("/unreachableStrategy", &["inactiveAfterSeconds", "expungeAfterSeconds"]),
    ("/upgradeStrategy", &["minimumHealthCapacity", "maximumOverCapacity"]),
];

const PORT_MAPPING: &[&str] =
    &["containerPort", "hostPort", "servicePort", "protocol", "name", "labels", "networkNames"];

/// A field that no Marathon knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownField {
    /// Where it stands, RFC 6901.
    pub pointer: String,
    /// `` did you mean `healthChecks`? ``, if one is near.
    pub help: Option<String>,
}

/// The fields of an app definition that Marathon would drop. What stands in answers only counts
/// as known: `marathon.deploy` leaves it out.
#[must_use]
pub fn unknown_fields(app: &Json) -> Vec<UnknownField> {
    let mut found = Vec::new();
    search(app, "", "", &mut found);
    found
}

fn search(json: &Json, place: &str, pointer: &str, found: &mut Vec<UnknownField>) {
    match json {
        Json::Object(fields) => {
            let Some((_, known)) = FIELDS.iter().find(|(listed, _)| *listed == place) else {
                return;
            };
            for (name, value) in fields {
                let here = format!("{pointer}{}", step(name));
                let answer = place.is_empty() && super::normalise::READ_ONLY.contains(&&**name);
                if known.contains(&&**name) {
                    search(value, &format!("{place}/{name}"), &here, found);
                } else if !answer {
                    let help = did_you_mean(name, known.iter().copied());
                    found.push(UnknownField { pointer: here, help });
                }
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, &format!("{place}/*"), &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The failure of a definition with such fields. `spot`: where in the call a pointer stands.
pub(super) fn refuse(app: &Json, spot: impl Fn(&str) -> Spot) -> Result<(), Failure> {
    const WHY: &str = "Marathon would drop it without a word";
    let unknown = unknown_fields(app);
    let message = |field: &UnknownField| {
        let name = field.pointer.trim_start_matches('/').replace('/', ".");
        format!("an app definition has no field `{name}`")
    };
    match unknown.as_slice() {
        [] => Ok(()),
        [field] => {
            let failure =
                Failure::new(Code::INVALID_APP, message(field)).at(spot(&field.pointer)).label(WHY);
            Err(field.help.iter().fold(failure, |failure, help| failure.help(help.as_str())))
        }
        fields => {
            let count = fields.len();
            let what = format!("the app definition has {count} fields that Marathon does not know");
            let failure = Failure::new(Code::INVALID_APP, what).at_argument("definition");
            Err(fields.iter().fold(failure, |failure, field| {
                failure.problem(Problem {
                    spot: spot(&field.pointer),
                    message: message(field),
                    label: WHY.to_owned(),
                    help: field.help.iter().cloned().collect(),
                })
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn what_marathon_would_drop_is_found() {
        let app = json!({
            "id": "/a", "healthchecks": [], "env": { "anything": "x" }, "labels": { "a.b/c": "d" },
            "healthChecks": [{ "path": "/" }, { "gracePeriod": 3 }],
            "container": { "docker": { "img": "x", "portMappings": [{ "containerport": 80 }] },
                "volumes": [{ "external": { "options": { "dvdi/driver": "rexray" } } }] },
            "tasksRunning": 3, "a/b": 1,
        });
        let found = unknown_fields(&app);
        let found: Vec<(&str, Option<&str>)> =
            found.iter().map(|f| (f.pointer.as_str(), f.help.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("/healthchecks", Some("did you mean `healthChecks`?")),
                ("/healthChecks/1/gracePeriod", Some("did you mean `gracePeriodSeconds`?")),
                ("/container/docker/img", None),
                (
                    "/container/docker/portMappings/0/containerport",
                    Some("did you mean `containerPort`?")
                ),
                ("/a~1b", None),
            ]
        );
    }

    #[test]
    fn real_definitions_and_answers_have_none() {
        for text in [
            include_str!("../../tests/data/marathon/pairs/1-nginx.json"),
            include_str!("../../tests/data/marathon/pairs/1-nginx-marathon1.5.json"),
            include_str!("../../tests/data/marathon/pairs/TestApplicationString-output.json"),
            include_str!("../../tests/data/marathon/pairs/TestApplicationString-1.5-output.json"),
            include_str!("../../tests/data/marathon/pairs/zdd_app_blue.json"),
            include_str!("../../tests/data/marathon/pairs/zdd_app_blue_marathon1.5.json"),
        ] {
            let json: Json = serde_json::from_str(text).unwrap();
            let app = if json["apps"].is_array() { &json["apps"][0] } else { &json };
            assert_eq!(unknown_fields(app), [], "{app}");
        }
        let vectors: Json = serde_json::from_str(include_str!(
            "../../tests/data/marathon/normalisation-vectors.json"
        ))
        .unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            assert_eq!(unknown_fields(&case["input"]), [], "{}", case["name"]);
        }
    }
}
