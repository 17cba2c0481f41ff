//! The fields of an app's definition: the names, types, ranges and defaults of Marathon's RAML
//! (`docs/docs/rest-api/public/api/v2/types/app.raml` and the files it uses), version 1.8, with
//! the fields of the years before that are still understood.

use serde_json::{Map, Value};

use super::{
    id,
    shape::{Field, Shape, complete, fields},
};
use crate::marathon::error::Details;

const TEXT: Shape = Shape::Text(0);
const NAMED: Shape = Shape::Text(1);
const TEXTS: Shape = Shape::Map(&TEXT);
const NAME: Shape = Shape::Pattern(is_name);
const PATH: Shape = Shape::Pattern(id::is_well_formed);
const PORT: Shape = Shape::Whole(0, 65535);
const COUNT: Shape = Shape::Whole(0, i32::MAX as i64);
const BYTES: Shape = Shape::Whole(0, i64::MAX);
const SHARE: Shape = Shape::Number(0.0, 1.0);
const AMOUNT: Shape = Shape::Number(0.0, f64::MAX);
const PROTOCOL: Shape = Shape::Word(&["tcp", "udp", "udp,tcp"]);

const fn required(name: &'static str, shape: Shape) -> Field {
    Field::required(name, shape)
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field::optional(name, shape)
}

const fn default(name: &'static str, shape: Shape, json: &'static str) -> Field {
    Field::default(name, shape, json)
}

/// Letters, digits and inner hyphens.
fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Those of a network's name: underscores too.
fn is_network(text: &str) -> bool {
    is_name(&text.replace('_', "-"))
}

const SECRET: &[Field] = &[required("secret", TEXT)];
const PARAMETER: &[Field] = &[required("key", NAMED), required("value", TEXT)];

const PORT_MAPPING: &[Field] = &[
    default("containerPort", PORT, "0"),
    optional("hostPort", PORT),
    default("labels", TEXTS, "{}"),
    optional("name", NAME),
    default("protocol", PROTOCOL, "\"tcp\""),
    default("servicePort", PORT, "0"),
    optional("networkNames", Shape::List(&NAME)),
];

const DOCKER: &[Field] = &[
    optional("credential", Shape::Any),
    optional("pullConfig", Shape::Object(SECRET)),
    default("forcePullImage", Shape::Flag, "false"),
    required("image", TEXT),
    optional("network", Shape::Word(&["BRIDGE", "HOST", "NONE", "USER"])),
    default("parameters", Shape::List(&Shape::Object(PARAMETER)), "[]"),
    optional("portMappings", Shape::List(&Shape::Object(PORT_MAPPING))),
    default("privileged", Shape::Flag, "false"),
];

const MODE: Shape = Shape::Word(&["RO", "RW"]);

const PERSISTENT: &[Field] = &[
    optional("type", Shape::Word(&["root", "path", "mount"])),
    required("size", BYTES),
    optional("maxSize", BYTES),
    optional("profileName", TEXT),
    optional("constraints", Shape::Set(&Shape::List(&TEXT))),
];

/// The most particular volume first: each kind has a field that the others lack.
const VOLUME: Shape = Shape::Either(&[
    Shape::Object(&[
        required("containerPath", NAMED),
        required("hostPath", NAMED),
        default("mode", MODE, "\"RO\""),
    ]),
    Shape::Object(&[
        required("containerPath", NAMED),
        required("persistent", Shape::Object(PERSISTENT)),
        default("mode", MODE, "\"RW\""),
    ]),
    Shape::Object(&[
        required("containerPath", NAMED),
        required("external", Shape::Any),
        default("mode", MODE, "\"RW\""),
    ]),
    Shape::Object(&[required("containerPath", NAMED), required("secret", TEXT)]),
]);

const CONTAINER: &[Field] = &[
    default("type", Shape::Word(&["MESOS", "DOCKER"]), "\"DOCKER\""),
    optional("docker", Shape::Object(DOCKER)),
    optional("linuxInfo", Shape::Any),
    default("volumes", Shape::List(&VOLUME), "[]"),
    optional("portMappings", Shape::List(&Shape::Object(PORT_MAPPING))),
];

const NETWORK: &[Field] = &[
    optional("name", Shape::Pattern(is_network)),
    default("mode", Shape::Word(&["container", "container/bridge", "host"]), "\"container\""),
    optional("labels", TEXTS),
];

const PORT_DEFINITION: &[Field] = &[
    default("port", PORT, "0"),
    default("labels", TEXTS, "{}"),
    optional("name", NAME),
    default("protocol", PROTOCOL, "\"tcp\""),
];

const DISCOVERED_PORT: &[Field] = &[
    default("number", PORT, "0"),
    required("name", NAME),
    default("protocol", PROTOCOL, "\"tcp\""),
    default("labels", TEXTS, "{}"),
];

const IP_ADDRESS: &[Field] = &[
    optional(
        "discovery",
        Shape::Object(&[default("ports", Shape::List(&Shape::Object(DISCOVERED_PORT)), "[]")]),
    ),
    optional("groups", Shape::Set(&TEXT)),
    default("labels", TEXTS, "{}"),
    optional("networkName", NAMED),
];

const FETCH: &[Field] = &[
    required("uri", NAMED),
    default("extract", Shape::Flag, "true"),
    default("executable", Shape::Flag, "false"),
    default("cache", Shape::Flag, "false"),
    optional("destPath", TEXT),
];

const CHECK_PROTOCOL: Shape =
    Shape::Word(&["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_TCP", "MESOS_HTTP", "MESOS_HTTPS"]);

const HEALTH_CHECK: &[Field] = &[
    optional("command", Shape::Object(&[required("value", TEXT)])),
    default("gracePeriodSeconds", COUNT, "300"),
    default("intervalSeconds", COUNT, "60"),
    default("maxConsecutiveFailures", COUNT, "3"),
    optional("path", TEXT),
    optional("port", PORT),
    optional("portIndex", PORT),
    default("protocol", CHECK_PROTOCOL, "\"HTTP\""),
    default("ipProtocol", Shape::Word(&["IPv4", "IPv6"]), "\"IPv4\""),
    default("timeoutSeconds", COUNT, "20"),
    default("delaySeconds", COUNT, "15"),
];

const READINESS_CHECK: &[Field] = &[
    default("name", NAMED, "\"readinessCheck\""),
    default("protocol", Shape::Word(&["HTTP", "HTTPS"]), "\"HTTP\""),
    default("path", NAMED, "\"/\""),
    default("portName", NAME, "\"http-api\""),
    default("intervalSeconds", COUNT, "30"),
    default("timeoutSeconds", Shape::Whole(1, i32::MAX as i64), "10"),
    optional("httpStatusCodesForReady", Shape::Set(&Shape::Whole(100, 999))),
    default("preserveLastResponse", Shape::Flag, "false"),
];

const UPGRADE_STRATEGY: &[Field] =
    &[required("maximumOverCapacity", SHARE), required("minimumHealthCapacity", SHARE)];

const UNREACHABLE_STRATEGY: Shape = Shape::Either(&[
    Shape::Object(&[
        default("inactiveAfterSeconds", BYTES, "0"),
        default("expungeAfterSeconds", BYTES, "0"),
    ]),
    Shape::Word(&["disabled"]),
]);

const RESIDENCY: &[Field] = &[
    default("relaunchEscalationTimeoutSeconds", BYTES, "3600"),
    default(
        "taskLostBehavior",
        Shape::Word(&["RELAUNCH_AFTER_TIMEOUT", "WAIT_FOREVER"]),
        "\"WAIT_FOREVER\"",
    ),
];

const EXECUTOR_RESOURCES: &[Field] =
    &[default("cpus", AMOUNT, "0.1"), default("mem", AMOUNT, "32"), default("disk", AMOUNT, "10")];

const LIMIT: Shape = Shape::Either(&[AMOUNT, TEXT]);
const RESOURCE_LIMITS: &[Field] = &[optional("cpus", LIMIT), optional("mem", LIMIT)];

const APP: &[Field] = &[
    required("id", PATH),
    optional("acceptedResourceRoles", Shape::Set(&TEXT)),
    optional("args", Shape::List(&TEXT)),
    default("backoffFactor", Shape::Number(1.0, f64::MAX), "1.15"),
    default("backoffSeconds", AMOUNT, "1"),
    optional("cmd", NAMED),
    optional("constraints", Shape::Set(&Shape::List(&TEXT))),
    optional("container", Shape::Object(CONTAINER)),
    default("cpus", Shape::Number(0.001, f64::MAX), "1"),
    optional("dependencies", Shape::Set(&PATH)),
    default("disk", AMOUNT, "0"),
    optional("env", Shape::Map(&Shape::Either(&[TEXT, Shape::Object(SECRET)]))),
    default("executor", TEXT, "\"\""),
    optional("executorResources", Shape::Object(EXECUTOR_RESOURCES)),
    optional("fetch", Shape::List(&Shape::Object(FETCH))),
    optional("healthChecks", Shape::Set(&Shape::Object(HEALTH_CHECK))),
    optional("check", Shape::Any),
    default("instances", COUNT, "1"),
    default("labels", TEXTS, "{}"),
    default("maxLaunchDelaySeconds", AMOUNT, "300"),
    default("mem", AMOUNT, "128"),
    default("gpus", COUNT, "0"),
    optional("ipAddress", Shape::Object(IP_ADDRESS)),
    optional("networks", Shape::List(&Shape::Object(NETWORK))),
    optional("ports", Shape::List(&PORT)),
    optional("portDefinitions", Shape::List(&Shape::Object(PORT_DEFINITION))),
    optional("readinessChecks", Shape::List(&Shape::Object(READINESS_CHECK))),
    optional("residency", Shape::Object(RESIDENCY)),
    optional("resourceLimits", Shape::Object(RESOURCE_LIMITS)),
    default("requirePorts", Shape::Flag, "false"),
    optional("secrets", Shape::Map(&Shape::Object(&[required("source", NAMED)]))),
    optional("taskKillGracePeriodSeconds", COUNT),
    optional("upgradeStrategy", Shape::Object(UPGRADE_STRATEGY)),
    optional("uris", Shape::List(&NAMED)),
    optional("user", TEXT),
    default(
        "killSelection",
        Shape::Word(&["YOUNGEST_FIRST", "OLDEST_FIRST"]),
        "\"YOUNGEST_FIRST\"",
    ),
    optional("unreachableStrategy", UNREACHABLE_STRATEGY),
    optional("tty", Shape::Flag),
];

/// Fields that are empty by default and then left out of answers.
const LEFT_OUT_WHEN_EMPTY: &[&str] = &[
    "args",
    "constraints",
    "dependencies",
    "env",
    "fetch",
    "healthChecks",
    "readinessChecks",
    "secrets",
];

/// What a client wrote, without unknown fields; missing ones stay missing, but those inside
/// objects take their defaults.
pub(super) fn read(given: &Map<String, Value>, wrong: &mut Details) -> Map<String, Value> {
    fields(APP, given, "", false, wrong)
}

/// Fills in the defaults of a whole definition, in the order of the fields here.
pub(super) fn fill(definition: &mut Map<String, Value>) {
    complete(APP, definition);
    for name in LEFT_OUT_WHEN_EMPTY {
        let empty = definition.get(*name).is_some_and(|value| match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        });
        if empty {
            definition.shift_remove(*name);
        }
    }
}
