//! The fields of an app definition, of every version.
//!
//! Names, types and ranges are those of the RAML types of 1.10
//! (`docs/docs/rest-api/public/api/v2/types/`), the JSON schemas of 0.8 to 1.7
//! (`…/v2/schema/AppDefinition.json`) where they differ to the wider side, and for what is gone
//! the readers of 1.4 (`api/v2/json/Formats.scala`).

use super::{
    shape::{Field, Rule, Shape, field},
    text,
};

use Shape::{Anything, Bool, Either, List, Map, Number, Object, OneOf, Text, Texts, Whole};

const INT: Shape = Whole(0, i32::MAX as i64);
const LONG: Shape = Whole(0, i64::MAX);
const PORT: Shape = Whole(0, 65_535);
const AMOUNT: Shape = Number(0.0, f64::INFINITY);
const PART: Shape = Number(0.0, 1.0);
const TEXTS: Shape = List(&Text);
const LABELS: Shape = Map(&Text);
const PROTOCOL: Shape = OneOf(&["tcp", "udp", "udp,tcp"]);
const MODE: Shape = OneOf(&["RO", "RW"]);
const SCHEME: Shape = OneOf(&["HTTP", "HTTPS"]);
const SOMETHING: Shape =
    Texts(&Rule { takes: |text| !text.is_empty(), what: "a text with something in it", help: "" });
const PORT_NAME: Shape = Texts(&Rule {
    takes: text::is_port_name,
    what: "a name of a port",
    help: "lower-case letters, digits and inner hyphens, as in `http-api`",
});
const URI: Shape = Texts(&Rule {
    takes: text::is_uri,
    what: "a URI",
    help: "blanks and signs like `{` are written as `%20`, `%7B`",
});

/// The fields of the definition itself.
pub(super) static APP: Shape = Object(&[
    field("id", Text),
    field("cmd", SOMETHING),
    field("args", TEXTS),
    field("user", Text),
    field("env", Map(&Either(&Text, &Object(&[field("secret", Text).needed()])))),
    field("instances", INT),
    field("cpus", AMOUNT),
    field("mem", AMOUNT),
    field("disk", AMOUNT),
    field("gpus", INT).since(1, 3),
    field(
        "executor",
        Texts(&Rule {
            takes: text::is_executor,
            what: "an executor",
            help: "that is `//cmd`, the path of a program, or nothing",
        }),
    ),
    field(
        "executorResources",
        Object(&[
            field("cpus", AMOUNT),
            field("mem", Number(32.0, f64::INFINITY)),
            field("disk", Number(10.0, f64::INFINITY)),
        ]),
    )
    .since(1, 6),
    field("resourceLimits", Object(&[field("cpus", LIMIT), field("mem", LIMIT)])).since(1, 10),
    field("constraints", List(&TEXTS)),
    field(
        "fetch",
        List(&Object(&[
            field("uri", URI).needed(),
            field("extract", Bool),
            field("executable", Bool),
            field("cache", Bool),
            field("destPath", Text).since(1, 5),
            field("outputFile", Text).until(1, 5, "it is called `destPath` now"),
        ])),
    ),
    field("uris", List(&URI)),
    field("storeUrls", TEXTS).until(1, 5, "what a task needs is fetched by `fetch`"),
    field("container", CONTAINER),
    field(
        "networks",
        List(&Object(&[
            field("mode", OneOf(&["container", "container/bridge", "host"])),
            field("name", Text),
            field("labels", LABELS),
        ])),
    )
    .since(1, 5),
    field(
        "ipAddress",
        Object(&[
            field("groups", TEXTS),
            field("labels", LABELS),
            field("networkName", Text),
            field(
                "discovery",
                Object(&[field(
                    "ports",
                    List(&Object(&[
                        field("number", PORT),
                        field("name", PORT_NAME).needed(),
                        field("protocol", PROTOCOL),
                        field("labels", LABELS),
                    ])),
                )]),
            ),
        ]),
    ),
    field(
        "portDefinitions",
        List(&Object(&[
            field("port", PORT),
            field("protocol", PROTOCOL),
            field("name", PORT_NAME),
            field("labels", LABELS),
        ])),
    ),
    field("ports", List(&PORT)),
    field("requirePorts", Bool),
    field("healthChecks", List(&HEALTH_CHECK)),
    field("check", CHECK).since(1, 8),
    field("readinessChecks", List(&READINESS_CHECK)),
    field("dependencies", TEXTS),
    field(
        "upgradeStrategy",
        Object(&[field("minimumHealthCapacity", PART), field("maximumOverCapacity", PART)]),
    ),
    field("labels", LABELS),
    field("acceptedResourceRoles", TEXTS),
    field("role", SOMETHING).since(1, 9),
    field(
        "residency",
        Object(&[
            field("relaunchEscalationTimeoutSeconds", LONG),
            field("taskLostBehavior", OneOf(&["WAIT_FOREVER", "RELAUNCH_AFTER_TIMEOUT"])),
        ]),
    ),
    field("secrets", Map(&Object(&[field("source", SOMETHING).needed()]))).since(1, 3),
    field("backoffSeconds", INT),
    field("backoffFactor", Number(1.0, f64::INFINITY)),
    field("maxLaunchDelaySeconds", INT),
    field("taskKillGracePeriodSeconds", INT).since(1, 3),
    field("killSelection", OneOf(&["YOUNGEST_FIRST", "OLDEST_FIRST"])).since(1, 4),
    field(
        "unreachableStrategy",
        Either(
            &OneOf(&["disabled"]),
            &Object(&[field("inactiveAfterSeconds", LONG), field("expungeAfterSeconds", LONG)]),
        ),
    )
    .since(1, 4),
    field("tty", Bool).since(1, 5),
]);

const LIMIT: Shape = Either(&OneOf(&["unlimited"]), &AMOUNT);

const CONTAINER: Shape = Object(&[
    field("type", OneOf(&["DOCKER", "MESOS"])),
    field(
        "docker",
        Object(&[
            field("image", SOMETHING).needed(),
            field("network", OneOf(&["BRIDGE", "HOST", "USER", "NONE"])),
            field("portMappings", List(&PORT_MAPPING)),
            field("forcePullImage", Bool),
            field("privileged", Bool),
            field(
                "parameters",
                List(&Object(&[field("key", SOMETHING).needed(), field("value", Text).needed()])),
            ),
            field(
                "credential",
                Object(&[field("principal", Text).needed(), field("secret", Text)]),
            ),
            field("pullConfig", Object(&[field("secret", SOMETHING).needed()])).since(1, 5),
        ]),
    ),
    field(
        "appc",
        Object(&[
            field("image", SOMETHING).needed(),
            field("id", Text),
            field("labels", LABELS),
            field("forcePullImage", Bool),
        ]),
    )
    .until(1, 9, "images of appc are not run any more"),
    field("volumes", List(&VOLUME)),
    field("portMappings", List(&PORT_MAPPING)).since(1, 5),
    field(
        "linuxInfo",
        Object(&[
            field("seccomp", Object(&[field("profileName", Text), field("unconfined", Bool)])),
            field(
                "ipcInfo",
                Object(&[
                    field("mode", OneOf(&["PRIVATE", "SHARE_PARENT"])),
                    field("shmSize", INT),
                ]),
            ),
        ]),
    )
    .since(1, 8),
]);

const PORT_MAPPING: Shape = Object(&[
    field("containerPort", PORT),
    field("hostPort", PORT),
    field("servicePort", PORT),
    field("protocol", PROTOCOL),
    field("name", PORT_NAME),
    field("labels", LABELS),
    field("networkNames", TEXTS).since(1, 5),
]);

const VOLUME: Shape = Object(&[
    field("containerPath", SOMETHING).needed(),
    field("hostPath", SOMETHING),
    field("mode", MODE),
    field(
        "persistent",
        Object(&[
            field("size", LONG).needed(),
            field("type", OneOf(&["root", "path", "mount"])),
            field("maxSize", LONG),
            field("constraints", List(&TEXTS)),
            field("profileName", Text).since(1, 6),
        ]),
    ),
    field(
        "external",
        Object(&[
            field("name", Text),
            field("provider", Text),
            field("options", Anything),
            field("size", LONG),
            field("shared", Bool),
        ]),
    ),
    field("secret", SOMETHING).since(1, 4),
]);

const HEALTH_CHECK: Shape = Object(&[
    field(
        "protocol",
        OneOf(&["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"]),
    ),
    field("path", Text),
    field("port", PORT),
    field("portIndex", PORT),
    field("command", Object(&[field("value", Text).needed()])),
    field("gracePeriodSeconds", INT),
    field("intervalSeconds", INT),
    field("timeoutSeconds", INT),
    field("maxConsecutiveFailures", INT),
    field("delaySeconds", INT).since(1, 4),
    field("ipProtocol", OneOf(&["IPv4", "IPv6"])).since(1, 6),
    field("ignoreHttp1xx", Bool),
]);

const READINESS_CHECK: Shape = Object(&[
    field("name", SOMETHING),
    field("protocol", SCHEME),
    field("path", SOMETHING),
    field("portName", PORT_NAME),
    field("intervalSeconds", INT),
    field("timeoutSeconds", Whole(1, i32::MAX as i64)),
    field("httpStatusCodesForReady", List(&Whole(100, 999))),
    field("preserveLastResponse", Bool),
]);

const CHECK: Shape = Object(&[
    field(
        "http",
        Object(&[
            field("portIndex", PORT),
            field("port", PORT),
            field("path", SOMETHING),
            field("scheme", SCHEME),
        ]),
    ),
    field("tcp", Object(&[field("portIndex", PORT), field("port", PORT)])),
    field(
        "exec",
        Object(&[
            field("command", Object(&[field("shell", SOMETHING), field("argv", TEXTS)])).needed()
        ]),
    ),
    field("intervalSeconds", INT),
    field("timeoutSeconds", INT),
    field("delaySeconds", INT),
]);

/// Where a field of this name stands, as places with dots, of all that are not lists' items.
pub(super) fn places(name: &str) -> Vec<String> {
    fn search(fields: &[Field], place: &str, name: &str, found: &mut Vec<String>) {
        for field in fields {
            if let Object(inner) = &field.shape {
                let inside = format!("{place}{}", field.name);
                if inner.iter().any(|field| field.name == name) {
                    found.push(inside.clone());
                }
                search(inner, &format!("{inside}."), name, found);
            }
        }
    }
    let mut found = Vec::new();
    if let Object(fields) = &APP {
        if fields.iter().any(|field| field.name == name) {
            found.push(String::new());
        }
        search(fields, "", name, &mut found);
    }
    found
}
