//! Each rule with a definition that it finds something in, and one that nobody does.

use serde_json::{Value as Json, json};

use super::{super::app_problems, *};

/// A rule, what it finds something in and where, and the same put right. Both are put over
/// `{ "id": "/shop/web", "cmd": "./run" }`.
struct Case(&'static str, Json, &'static str, Json);

fn cases() -> Vec<Case> {
    let docker = |network: &str| json!({ "container": { "docker": { "image": "web", "network": network } } });
    let mesos = json!({ "container": { "type": "MESOS", "docker": { "image": "web" } } });
    let check = |check: Json| json!({ "healthChecks": [check] });
    let volume = |volume: Json| json!({ "container": { "type": "MESOS", "volumes": [volume] } });
    let persistent =
        |info: Json| volume(json!({ "containerPath": "data", "mode": "RW", "persistent": info }));
    let constraint = |constraint: Json| json!({ "constraints": [constraint] });
    let with = |mut app: Json, more: Json| {
        if let (Json::Object(app), Json::Object(more)) = (&mut app, more) {
            app.extend(more);
        }
        app
    };
    let resident = persistent(json!({ "size": 10 }));
    let dvdi = |more: Json| {
        let external = with(
            json!({ "name": "v", "provider": "dvdi", "options": { "dvdi/driver": "rexray" } }),
            more,
        );
        json!({ "container": { "docker": { "image": "web" }, "volumes": [
            { "containerPath": "/data", "mode": "RW", "external": external }] } })
    };
    let two_networks = |mapping: Json| {
        json!({ "networks": [{ "name": "a" }, { "name": "b" }],
            "container": { "type": "MESOS", "portMappings": [mapping] } })
    };
    let ready = |check: Json| json!({ "portDefinitions": [{ "name": "http" }], "readinessChecks": [check] });
    vec![
        Case("id::id_given", json!({ "id": null }), "", json!({})),
        Case("id::id_well_formed", json!({ "id": "/Web_1" }), "/id", json!({ "id": "web-1.x" })),
        Case(
            "id::id_well_formed",
            json!({ "id": "/web/tasks" }),
            "/id",
            json!({ "id": "/tasks/web" }),
        ),
        Case(
            "id::dependencies",
            json!({ "dependencies": ["../db", "web"] }),
            "/dependencies/1",
            json!({ "dependencies": ["../db", "/web"] }),
        ),
        Case(
            "id::dependencies",
            json!({ "dependencies": ["/my_db"] }),
            "/dependencies/0",
            json!({ "dependencies": ["/my-db"] }),
        ),
        Case(
            "command::one_of_cmd_and_args",
            json!({ "args": ["-v"] }),
            "/args",
            json!({ "args": [] }),
        ),
        Case(
            "command::something_runs",
            json!({ "cmd": null }),
            "",
            with(mesos.clone(), json!({ "cmd": null })),
        ),
        Case("command::cmd_of_one_letter", json!({ "cmd": ":" }), "/cmd", json!({ "cmd": "ls" })),
        Case(
            "container::docker_needs_docker",
            json!({ "container": { "volumes": [] } }),
            "/container",
            json!({ "container": { "type": "MESOS", "volumes": [] } }),
        ),
        Case(
            "container::mesos_has_no_docker_network",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web", "network": "HOST" } } }),
            "/container/docker/network",
            docker("HOST"),
        ),
        Case(
            "container::mesos_has_no_docker_network",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web",
                "parameters": [{ "key": "init", "value": "true" }] } } }),
            "/container/docker/parameters",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web", "parameters": [] } } }),
        ),
        Case(
            "container::credential",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web",
                "credential": { "principal": "alice" } } } }),
            "/container/docker/credential",
            mesos.clone(),
        ),
        Case(
            "container::pull_config",
            json!({ "container": { "docker": { "image": "web", "pullConfig": { "secret": "pull" } } },
                "secrets": { "pull": { "source": "/pull" } } }),
            "/container/docker/pullConfig",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web", "pullConfig": { "secret": "pull" } } },
                "secrets": { "pull": { "source": "/pull" } } }),
        ),
        Case(
            "container::network_none",
            docker("NONE"),
            "/container/docker/network",
            docker("BRIDGE"),
        ),
        Case(
            "container::for_the_other_engine",
            json!({ "container": { "type": "MESOS", "docker": { "image": "web", "privileged": true } } }),
            "/container/docker/privileged",
            json!({ "container": { "docker": { "image": "web", "privileged": true } } }),
        ),
        Case(
            "networks::old_and_new",
            with(docker("BRIDGE"), json!({ "networks": [{ "mode": "container/bridge" }] })),
            "/container/docker/network",
            docker("BRIDGE"),
        ),
        Case(
            "networks::old_and_new",
            json!({ "ipAddress": {}, "networks": [{ "name": "dcos" }] }),
            "/ipAddress",
            json!({ "ipAddress": { "networkName": "dcos" } }),
        ),
        Case(
            "networks::names_of_networks",
            json!({ "networks": [{ "mode": "host", "name": "dcos" }] }),
            "/networks/0/name",
            json!({ "networks": [{ "mode": "container", "name": "dcos" }] }),
        ),
        Case(
            "networks::networks_differ",
            json!({ "networks": [{ "name": "a" }, { "name": "b" }, { "name": "a" }] }),
            "/networks/2",
            json!({ "networks": [{ "name": "a" }, { "name": "b" }] }),
        ),
        Case(
            "networks::networks_go_together",
            json!({ "networks": [{ "name": "a" }, { "mode": "host" }] }),
            "/networks/1",
            json!({ "networks": [{ "mode": "host" }] }),
        ),
        Case(
            "networks::networks_go_together",
            json!({ "networks": [{ "mode": "container/bridge" }, { "mode": "container/bridge" }] }),
            "/networks/1",
            json!({ "networks": [{ "mode": "container/bridge" }] }),
        ),
        Case(
            "networks::one_container_network_for_docker",
            json!({ "networks": [{ "name": "a" }, { "name": "b" }], "container": { "docker": { "image": "web" } } }),
            "/networks/1",
            json!({ "networks": [{ "name": "a" }, { "name": "b" }], "container": { "type": "MESOS" } }),
        ),
        Case(
            "networks::address_without_ports",
            json!({ "ipAddress": {}, "ports": [0] }),
            "/ports",
            json!({ "ipAddress": {}, "ports": [] }),
        ),
        Case(
            "networks::discovery",
            with(docker("USER"), json!({ "ipAddress": { "discovery": { "ports": [] } } })),
            "/ipAddress/discovery",
            json!({ "ipAddress": { "discovery": { "ports": [{ "name": "http", "number": 80 }] } } }),
        ),
        Case(
            "networks::discovery",
            json!({ "ipAddress": { "discovery": { "ports": [{ "name": "http", "number": 80 }] } },
                "container": { "type": "MESOS", "portMappings": [{ "containerPort": 80 }] } }),
            "/ipAddress/discovery",
            json!({ "ipAddress": {}, "container": { "type": "MESOS", "portMappings": [{ "containerPort": 80 }] } }),
        ),
        Case(
            "networks::named_by_mappings",
            two_networks(json!({ "networkNames": ["c"] })),
            "/container/portMappings/0/networkNames/0",
            two_networks(json!({ "networkNames": ["a"] })),
        ),
        Case(
            "networks::named_by_mappings",
            two_networks(json!({ "hostPort": 80 })),
            "/container/portMappings/0",
            two_networks(json!({ "hostPort": 80, "networkNames": ["b"] })),
        ),
        Case(
            "ports::ports_differ",
            json!({ "ports": [0, 80, 0, 80] }),
            "/ports/3",
            json!({ "ports": [0, 80, 0] }),
        ),
        Case(
            "ports::ports_differ",
            json!({ "portDefinitions": [{ "port": 80 }, { "port": 80 }] }),
            "/portDefinitions/1/port",
            json!({ "portDefinitions": [{ "port": 80 }, {}, {}] }),
        ),
        Case(
            "ports::names_differ",
            json!({ "portDefinitions": [{ "name": "a" }, { "name": "a" }] }),
            "/portDefinitions/1/name",
            json!({ "portDefinitions": [{ "name": "a" }, { "name": "b" }] }),
        ),
        Case(
            "ports::ports_and_definitions",
            json!({ "ports": [80], "portDefinitions": [{ "port": 81 }] }),
            "/ports",
            json!({ "ports": [80, 0], "portDefinitions": [{ "port": 80 }, {}] }),
        ),
        Case(
            "ports::mappings_twice",
            json!({ "container": { "docker": { "image": "web", "network": "BRIDGE",
                "portMappings": [{}] }, "portMappings": [{}] } }),
            "/container/docker/portMappings",
            json!({ "container": { "docker": { "image": "web", "network": "BRIDGE",
                "portMappings": [{}] }, "portMappings": [] } }),
        ),
        Case(
            "ports::mappings_on_the_host",
            json!({ "container": { "docker": { "image": "web", "portMappings": [{}] } } }),
            "/container/docker/portMappings",
            json!({ "container": { "docker": { "image": "web", "network": "BRIDGE", "portMappings": [{}] } } }),
        ),
        Case(
            "ports::mappings_on_the_host",
            json!({ "container": { "docker": { "image": "web" }, "portMappings": [{}] } }),
            "/container/portMappings",
            json!({ "container": { "docker": { "image": "web" }, "portMappings": [{}] },
                "networks": [{ "mode": "container/bridge" }] }),
        ),
        Case(
            "ports::ports_behind_a_network",
            with(docker("BRIDGE"), json!({ "portDefinitions": [{}] })),
            "/portDefinitions",
            with(docker("HOST"), json!({ "portDefinitions": [{}] })),
        ),
        Case(
            "ports::required_ports",
            with(docker("BRIDGE"), json!({ "requirePorts": true })),
            "/requirePorts",
            json!({ "requirePorts": true, "ports": [80] }),
        ),
        Case(
            "health::port_of_check",
            check(json!({ "portIndex": 1 })),
            "/healthChecks/0/portIndex",
            check(json!({ "portIndex": 0 })),
        ),
        Case(
            "health::port_of_check",
            with(check(json!({})), json!({ "ports": [] })),
            "/healthChecks/0",
            with(check(json!({ "port": 80 })), json!({ "ports": [] })),
        ),
        Case(
            "health::port_of_check",
            with(check(json!({})), json!({ "ports": [0, 0] })),
            "/healthChecks/0",
            with(check(json!({})), json!({ "portDefinitions": [{}, {}] })),
        ),
        Case(
            "health::port_of_check",
            with(mesos.clone(), json!({ "check": { "tcp": { "portIndex": 3 } } })),
            "/check/tcp/portIndex",
            with(mesos.clone(), json!({ "check": { "tcp": { "portIndex": 0 } } })),
        ),
        Case(
            "health::one_check_of_mesos",
            json!({ "healthChecks": [{ "protocol": "MESOS_HTTP" }, {}, { "protocol": "MESOS_TCP" }] }),
            "/healthChecks/2",
            json!({ "healthChecks": [{ "protocol": "MESOS_HTTP" }, {}, { "protocol": "TCP" }] }),
        ),
        Case(
            "health::command_of_check",
            check(json!({ "protocol": "COMMAND" })),
            "/healthChecks/0",
            check(json!({ "protocol": "COMMAND", "command": { "value": "true" } })),
        ),
        Case(
            "health::command_of_check",
            check(json!({ "command": { "value": "true" } })),
            "/healthChecks/0/command",
            check(json!({ "path": "/" })),
        ),
        Case(
            "health::command_of_check",
            check(json!({ "protocol": "COMMAND", "command": { "value": "true" }, "path": "/" })),
            "/healthChecks/0/path",
            check(json!({ "protocol": "COMMAND", "command": { "value": "true" }, "portIndex": 7 })),
        ),
        Case(
            "health::address_family",
            check(json!({ "ipProtocol": "IPv6" })),
            "/healthChecks/0/ipProtocol",
            with(docker("HOST"), check(json!({ "protocol": "MESOS_HTTP", "ipProtocol": "IPv6" }))),
        ),
        Case(
            "health::fields_without_effect",
            check(json!({ "protocol": "TCP", "path": "/" })),
            "/healthChecks/0/path",
            check(json!({ "protocol": "TCP" })),
        ),
        Case(
            "health::fields_without_effect",
            check(json!({ "portIndex": 0, "port": 80 })),
            "/healthChecks/0/portIndex",
            check(json!({ "port": 80 })),
        ),
        Case(
            "health::kind_of_general_check",
            json!({ "check": { "http": {}, "tcp": {} } }),
            "/check/tcp",
            json!({ "check": { "http": { "path": "/" } } }),
        ),
        Case(
            "health::kind_of_general_check",
            with(docker("HOST"), json!({ "check": { "tcp": {} } })),
            "/check",
            with(mesos.clone(), json!({ "check": { "exec": { "command": { "shell": "true" } } } })),
        ),
        Case(
            "readiness::at_most_one",
            json!({ "portDefinitions": [{ "name": "http-api" }], "readinessChecks": [{}, {}] }),
            "/readinessChecks/1",
            json!({ "portDefinitions": [{ "name": "http-api" }], "readinessChecks": [{}] }),
        ),
        Case(
            "readiness::port_is_there",
            ready(json!({ "portName": "htp" })),
            "/readinessChecks/0/portName",
            ready(json!({ "portName": "http" })),
        ),
        Case(
            "readiness::port_is_there",
            ready(json!({})),
            "/readinessChecks/0",
            ready(json!({ "portName": "http" })),
        ),
        Case(
            "readiness::answers_in_time",
            ready(json!({ "portName": "http", "intervalSeconds": 10 })),
            "/readinessChecks/0/intervalSeconds",
            ready(json!({ "portName": "http", "intervalSeconds": 10, "timeoutSeconds": 9 })),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["hostname"])),
            "/constraints/0",
            json!({ "constraints": [] }),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["hostname", "UNIQ"])),
            "/constraints/0/1",
            constraint(json!(["hostname", "UNIQUE"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["hostname", "UNIQUE", "1"])),
            "/constraints/0/2",
            constraint(json!(["hostname", "MAX_PER", "1"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["hostname", "unique"])),
            "/constraints/0/1",
            constraint(json!(["hostname", "UNIQUE"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["hostname", "MAX_PER"])),
            "/constraints/0/1",
            constraint(json!(["hostname", "MAX_PER", "2"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["rack", "GROUP_BY", "three"])),
            "/constraints/0/2",
            constraint(json!(["rack", "GROUP_BY"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["rack", "LIKE", "*"])),
            "/constraints/0/2",
            constraint(json!(["rack", "UNLIKE", "(?!x).*"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["rack", "IS", "{a}"])),
            "/constraints/0/2",
            constraint(json!(["@zone", "LIKE", "eu-1.*"])),
        ),
        Case(
            "constraints::constraints",
            constraint(json!(["rack", "CLUSTER"])),
            "/constraints/0/1",
            constraint(json!(["rack", "CLUSTER", "rack-1"])),
        ),
        Case(
            "volumes::kind",
            volume(json!({ "containerPath": "/data", "mode": "RW" })),
            "/container/volumes/0",
            volume(json!({ "containerPath": "/data", "mode": "RW", "hostPath": "/srv" })),
        ),
        Case(
            "volumes::kind",
            volume(json!({ "containerPath": "/data", "hostPath": "/srv" })),
            "/container/volumes/0",
            volume(json!({ "containerPath": "/data", "hostPath": "/srv", "mode": "RO" })),
        ),
        Case(
            "volumes::persistent",
            volume(json!({ "containerPath": "/data", "mode": "RW", "persistent": { "size": 1 } })),
            "/container/volumes/0/containerPath",
            resident.clone(),
        ),
        Case(
            "volumes::persistent",
            volume(json!({ "containerPath": "data", "mode": "RO", "persistent": { "size": 1 } })),
            "/container/volumes/0/mode",
            resident.clone(),
        ),
        Case(
            "volumes::persistent_size",
            persistent(json!({ "size": 0 })),
            "/container/volumes/0/persistent/size",
            persistent(json!({ "size": 1 })),
        ),
        Case(
            "volumes::persistent_size",
            persistent(json!({ "size": 10, "type": "path", "maxSize": 20 })),
            "/container/volumes/0/persistent/maxSize",
            persistent(json!({ "size": 10, "type": "mount", "maxSize": 20 })),
        ),
        Case(
            "volumes::persistent_size",
            persistent(json!({ "size": 10, "type": "mount", "maxSize": 10 })),
            "/container/volumes/0/persistent/maxSize",
            persistent(json!({ "size": 10, "type": "mount", "maxSize": 11 })),
        ),
        Case(
            "volumes::persistent_constraints",
            persistent(json!({ "size": 10, "constraints": [["path", "LIKE", "/ssd.*"]] })),
            "/container/volumes/0/persistent/constraints",
            persistent(
                json!({ "size": 10, "type": "path", "constraints": [["path", "LIKE", "/ssd.*"]] }),
            ),
        ),
        Case(
            "volumes::persistent_constraints",
            persistent(
                json!({ "size": 10, "type": "path", "constraints": [["disk", "LIKE", "/ssd.*"]] }),
            ),
            "/container/volumes/0/persistent/constraints/0",
            persistent(
                json!({ "size": 10, "type": "mount", "constraints": [["path", "UNLIKE", "/hdd.*"]] }),
            ),
        ),
        Case(
            "volumes::external",
            dvdi(json!({ "provider": "dvi" })),
            "/container/volumes/0/external/provider",
            dvdi(json!({})),
        ),
        Case(
            "volumes::external",
            dvdi(json!({ "options": {} })),
            "/container/volumes/0/external",
            dvdi(json!({})),
        ),
        Case(
            "volumes::external",
            dvdi(json!({ "size": 5 })),
            "/container/volumes/0/external/size",
            volume(json!({ "containerPath": "/data", "mode": "RW", "external": {
                "name": "v", "size": 5, "provider": "dvdi",
                "options": { "dvdi/driver": "rexray", "dvdi/iops": "9" } } })),
        ),
        Case(
            "volumes::external_instances",
            with(dvdi(json!({})), json!({ "instances": 2 })),
            "/instances",
            with(dvdi(json!({})), json!({ "instances": 1 })),
        ),
        Case(
            "volumes::secret",
            with(
                volume(json!({ "containerPath": "key", "secret": "kay" })),
                json!({ "secrets": { "key": { "source": "/key" } } }),
            ),
            "/container/volumes/0/secret",
            with(
                volume(json!({ "containerPath": "key", "secret": "key" })),
                json!({ "secrets": { "key": { "source": "/key" } } }),
            ),
        ),
        Case(
            "secrets::in_environment",
            json!({ "env": { "A": { "secret": "a" } } }),
            "/env/A/secret",
            json!({ "env": { "A": { "secret": "a" } }, "secrets": { "a": { "source": "/a" } } }),
        ),
        Case(
            "secrets::named",
            json!({ "env": { "": "x" } }),
            "/env/",
            json!({ "env": { "x y": "" } }),
        ),
        Case(
            "resources::gpus",
            with(docker("HOST"), json!({ "gpus": 1 })),
            "/gpus",
            with(mesos.clone(), json!({ "gpus": 1 })),
        ),
        Case(
            "resources::limits",
            json!({ "mem": 256, "resourceLimits": { "mem": 200, "cpus": "unlimited" } }),
            "/resourceLimits/mem",
            json!({ "mem": 256, "resourceLimits": { "mem": 256, "cpus": 1.5 } }),
        ),
        Case(
            "resources::roles",
            json!({ "acceptedResourceRoles": [] }),
            "/acceptedResourceRoles",
            json!({ "acceptedResourceRoles": ["*"] }),
        ),
        Case(
            "resources::roles",
            json!({ "acceptedResourceRoles": ["a/b"] }),
            "/acceptedResourceRoles/0",
            json!({ "acceptedResourceRoles": ["slave_public", "*"] }),
        ),
        Case(
            "strategy::both_capacities",
            json!({ "upgradeStrategy": { "minimumHealthCapacity": 0.5 } }),
            "/upgradeStrategy",
            json!({ "upgradeStrategy": { "minimumHealthCapacity": 0.5, "maximumOverCapacity": 1 } }),
        ),
        Case(
            "strategy::single_instance",
            json!({ "labels": { "MARATHON_SINGLE_INSTANCE_APP": "true" }, "instances": 2 }),
            "/instances",
            json!({ "labels": { "MARATHON_SINGLE_INSTANCE_APP": "true" }, "instances": 1,
                "upgradeStrategy": { "minimumHealthCapacity": 0, "maximumOverCapacity": 0 } }),
        ),
        Case(
            "strategy::resident_upgrade",
            with(
                resident.clone(),
                json!({ "upgradeStrategy": { "minimumHealthCapacity": 0, "maximumOverCapacity": 1 } }),
            ),
            "/upgradeStrategy/maximumOverCapacity",
            with(
                resident.clone(),
                json!({ "upgradeStrategy": { "minimumHealthCapacity": 0.5, "maximumOverCapacity": 0 } }),
            ),
        ),
        Case(
            "strategy::resident_unreachable",
            with(resident.clone(), json!({ "unreachableStrategy": {} })),
            "/unreachableStrategy",
            with(resident.clone(), json!({ "unreachableStrategy": "disabled" })),
        ),
        Case(
            "strategy::resident_roles",
            with(resident.clone(), json!({ "acceptedResourceRoles": ["public"] })),
            "/acceptedResourceRoles",
            with(resident.clone(), json!({ "acceptedResourceRoles": ["*"] })),
        ),
        Case(
            "strategy::residency_of_nothing",
            json!({ "residency": {} }),
            "/residency",
            with(resident, json!({ "residency": {} })),
        ),
        Case(
            "strategy::inactive_before_expunged",
            json!({ "unreachableStrategy": { "inactiveAfterSeconds": 60, "expungeAfterSeconds": 30 } }),
            "/unreachableStrategy/inactiveAfterSeconds",
            json!({ "unreachableStrategy": { "inactiveAfterSeconds": 30, "expungeAfterSeconds": 60 } }),
        ),
        Case(
            "strategy::inactive_before_expunged",
            json!({ "unreachableStrategy": { "inactiveAfterSeconds": 60 } }),
            "/unreachableStrategy/inactiveAfterSeconds",
            json!({ "unreachableStrategy": { "expungeAfterSeconds": 60 } }),
        ),
        Case(
            "fetch::uris_and_fetch",
            json!({ "uris": ["http://a/b"], "fetch": [{ "uri": "http://a/c" }] }),
            "/uris",
            json!({ "uris": [], "fetch": [{ "uri": "http://a/c" }] }),
        ),
        Case(
            "labels::migration",
            json!({ "labels": { "DCOS_MIGRATION_API_VERSION": "v1" } }),
            "/labels/DCOS_MIGRATION_API_VERSION",
            json!({ "labels": { "DCOS_MIGRATION_API_VERSION": "v1", "DCOS_MIGRATION_API_PATH": "/p",
                "DCOS_PACKAGE_FRAMEWORK_NAME": "f" } }),
        ),
    ]
}

fn app(changes: &Json) -> Known {
    let mut app = Known::from(&json!({ "id": "/shop/web", "cmd": "./run" }));
    app.merge(&Known::from(changes));
    app
}

#[test]
fn every_rule_finds_what_is_wrong_and_nothing_else() {
    let cases = cases();
    for Case(name, wrong, pointer, right) in &cases {
        let rule = RULES.iter().copied().flatten().find(|(known, _)| known == name);
        let (_, rule) = rule.unwrap_or_else(|| panic!("no rule is called {name}"));
        let look = |changes: &Json| {
            let mut found = Vec::new();
            rule(&app(changes), &mut found);
            found
        };
        let found: Vec<String> = look(wrong).into_iter().map(|finding| finding.pointer).collect();
        assert!(found.iter().any(|found| found == pointer), "{name}: {found:?} in {wrong}");
        assert!(look(right).is_empty(), "{name}: {right}");
        let others = app_problems(&app(right), None);
        let others: Vec<&str> = others.iter().map(|problem| problem.message.as_str()).collect();
        assert!(others.is_empty(), "{name}: {others:?} in {right}");
    }
    for (name, _) in RULES.iter().copied().flatten() {
        assert!(cases.iter().any(|case| case.0 == *name), "no case of {name}");
    }
}

#[test]
fn what_is_not_known_is_not_told() {
    // Every value that a case has, one after the other, known only at run time.
    for Case(name, wrong, ..) in cases() {
        let full = app(&wrong);
        let before = app_problems(&full, None);
        let mut pointers = Vec::new();
        collect(&full, "", &mut pointers);
        for pointer in pointers {
            let mut holed = full.clone();
            put(&mut holed, &pointer, &Known::Open(super::super::Kind::Anything));
            for problem in app_problems(&holed, None) {
                let known = before.iter().any(|old| old.message == problem.message);
                assert!(known, "{name} without {pointer}: {problem:?}");
            }
        }
    }
}

fn collect(value: &Known, pointer: &str, found: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Known| {
        let here = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(here.clone());
        collect(value, &here, found);
    };
    match value {
        Known::Object(fields) => fields.known.iter().for_each(|(key, value)| inner(key, value)),
        Known::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| inner(&at.to_string(), item));
        }
        _ => {}
    }
}

fn put(value: &mut Known, pointer: &str, new: &Known) {
    let steps: Vec<String> = super::super::super::pointer::steps(pointer).collect();
    let target = steps.iter().try_fold(value, |here, step| match here {
        Known::Object(fields) => fields.known.get_mut(step),
        Known::List(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    });
    *target.expect("a value") = new.clone();
}
