//! Where built-ins go, and as whom: evaluated only for stages that run, and never with `--local`.

use futures_util::FutureExt;
use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{ExprId, ExprKind, Text},
};
use pipe_stdlib::core::{Connections, MarathonConnection, Value};

use super::{Decision, Facts, Inputs, StagePlan, needs, problem};
use crate::{
    check::{Connection, Target},
    eval::Eval,
};

/// Binds the connections that the stages need.
pub(super) fn bind(
    facts: &Facts,
    stages: &[StagePlan],
    inputs: &Inputs,
    problems: &mut Vec<Diagnostic>,
) -> Connections {
    if let Some(local) = &inputs.local {
        if let Some((_, call)) = calls_to(facts, stages, "mesos").first() {
            problems.push(no_local_mesos(*call));
        }
        return on_this_machine(facts, local);
    }
    let mut connections = Connections::default();
    for (number, connection) in facts.program.checked.connections.iter().enumerate() {
        if is_needed(facts, stages, connection) {
            needs::check(facts, &format!("connect {number}"), inputs, problems);
            connect(facts, connection, &mut connections, problems);
        }
    }
    default_marathon(facts, &mut connections);
    for (connection, call) in calls_to(facts, stages, "marathon") {
        if connections.marathon(connection.as_deref()).is_none() {
            problems.push(nowhere(call));
            break;
        }
    }
    for (connection, call) in calls_to(facts, stages, "mesos") {
        if connections.mesos(connection.as_deref()).is_none() {
            problems.push(no_mesos(call));
            break;
        }
    }
    connections
}

/// With `--local` everything goes to the cluster of this machine, under every name.
fn on_this_machine(facts: &Facts, local: &pipe_stdlib::core::LocalCluster) -> Connections {
    let names = facts.program.checked.connections.iter().filter_map(|c| c.alias.clone());
    let marathon = std::iter::once(None).chain(names.map(Some)).map(|name| MarathonConnection {
        name: name.map(|name| name.to_string()),
        url: local.marathon.clone(),
        token: None,
        username: None,
        password: None,
        ca: None,
        local: true,
    });
    Connections {
        docker: Vec::new(),
        engine: None,
        marathon: marathon.collect(),
        mesos: Vec::new(),
        local: Some(local.clone()),
    }
}

fn runs(stage: &StagePlan) -> bool {
    !matches!(stage.decision, Decision::Skip(_))
}

fn is_needed(facts: &Facts, stages: &[StagePlan], connection: &Connection) -> bool {
    let kind = connection.connector.name;
    let users = stages.iter().filter(|s| runs(s)).map(|s| format!("stage {}", s.name));
    let handlers =
        ["pipeline", "on success", "on failure", "on cancelled", "always"].map(String::from);
    let used = users.chain(handlers).any(|user| {
        let mut names = needs::mentioned(facts, &user);
        names.insert(user.as_str().into());
        names.iter().any(|name| {
            facts.program.checked.uses.get(name).is_some_and(|uses| {
                uses.modules
                    .iter()
                    .any(|(module, alias)| *module == kind && *alias == connection.alias)
            })
        })
    });
    used && (kind != "docker" || registry_is_used(facts, stages, connection))
}

/// A docker connection is needed where something is pushed to its host; a host that is not known
/// yet may be any.
fn registry_is_used(facts: &Facts, stages: &[StagePlan], connection: &Connection) -> bool {
    let file = &facts.program.file;
    let ExprKind::Call { arguments, .. } = &file.expr(connection.call).kind else { return true };
    let first =
        arguments.first().filter(|a| a.name.as_ref().is_none_or(|n| &*n.text == "registry"));
    let registry = first.and_then(|a| facts.value(a.value).ok());
    let Some(registry) = registry.as_ref().and_then(Value::as_str) else { return true };
    pushed(facts, stages).iter().any(|reference| match reference {
        Some(reference) => host(reference) == registry,
        None => true,
    })
}

/// The registry host of a reference, as Docker reads it.
fn host(reference: &str) -> &str {
    match reference.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => "docker.io",
    }
}

/// The images that the stages push, none for one that is not known yet.
fn pushed(facts: &Facts, stages: &[StagePlan]) -> Vec<Option<String>> {
    calls(facts, stages)
        .filter(|(builtin, ..)| builtin.module == "docker")
        .filter_map(|(builtin, _, id)| {
            let wanted = match builtin.name {
                "push" => "image",
                "build" => "tag",
                _ => return None,
            };
            let ExprKind::Call { arguments, .. } = &facts.program.file.expr(id).kind else {
                return None;
            };
            let named = |name: &str| {
                arguments.iter().enumerate().find(|(number, a)| match &a.name {
                    Some(found) => &*found.text == name,
                    None => *number == 0 && wanted == "image" && name == "image",
                })
            };
            // A build without `push` sends nothing, but its base images are pulled.
            if builtin.name == "build" && named("push").is_none() {
                return None;
            }
            let value = named(wanted).and_then(|(_, a)| facts.value(a.value).ok());
            Some(value.and_then(|value| value.as_str().map(str::to_owned)))
        })
        .collect()
}

/// The steps that the stages call.
fn calls<'a>(
    facts: &'a Facts,
    stages: &'a [StagePlan],
) -> impl Iterator<Item = (&'static pipe_stdlib::core::Builtin, Option<Text>, ExprId)> + 'a {
    let file = &facts.program.file;
    let running: Vec<Span> = file
        .items
        .iter()
        .filter(|item| match &item.kind {
            pipe_grammar::tree::ItemKind::Stage(stage) => {
                stages.iter().any(|s| s.name == stage.name.text && runs(s))
            }
            // A function may be called by any of them.
            pipe_grammar::tree::ItemKind::Function(_)
            | pipe_grammar::tree::ItemKind::Handler(_) => true,
            _ => false,
        })
        .map(|item| item.span)
        .collect();
    file.expressions.iter().enumerate().filter_map(move |(number, expr)| {
        let id = ExprId(u32::try_from(number).unwrap_or(u32::MAX));
        if !matches!(expr.kind, ExprKind::Call { .. })
            || !running.iter().any(|s| s.contains(expr.span))
        {
            return None;
        }
        match facts.program.checked.targets.get(&id)? {
            Target::Builtin { builtin, connection } => Some((*builtin, connection.clone(), id)),
            _ => None,
        }
    })
}

/// The calls of a module's built-ins that go to a server.
fn calls_to(facts: &Facts, stages: &[StagePlan], module: &str) -> Vec<(Option<Text>, Span)> {
    calls(facts, stages)
        .filter(|(builtin, ..)| {
            builtin.module == module && builtin.kind() != pipe_stdlib::core::Kind::Fact
        })
        .map(|(_, connection, id)| (connection, facts.program.file.span(id)))
        .collect()
}

fn connect(
    facts: &Facts,
    connection: &Connection,
    connections: &mut Connections,
    problems: &mut Vec<Diagnostic>,
) {
    let file = &facts.program.file;
    let ExprKind::Call { arguments, .. } = &file.expr(connection.call).kind else { return };
    let frame = facts.frame();
    let eval = Eval { program: &facts.program, host: facts, frame: &frame };
    let bound = eval.bind(connection.connector.signature(), arguments).now_or_never();
    match bound {
        Some(Ok((arguments, places))) => {
            let alias = connection.alias.as_deref();
            if let Err(failure) = (connection.connector.add)(connections, alias, &arguments) {
                problems.extend(problem(eval.failure(connection.call, &failure, &places)));
            }
        }
        Some(Err(stop)) => problems.extend(problem(stop)),
        None => {}
    }
}

/// `MARATHON_URL` names the default Marathon where no `connect` does.
fn default_marathon(facts: &Facts, connections: &mut Connections) {
    let url = facts.world.variable("MARATHON_URL").filter(|url| !url.is_empty());
    if connections.marathon(None).is_some() {
        return;
    }
    if let Some(url) = url {
        connections.marathon.push(MarathonConnection {
            name: None,
            url: url.trim_end_matches('/').to_owned(),
            token: None,
            username: None,
            password: None,
            ca: None,
            local: false,
        });
    }
}

fn nowhere(call: Span) -> Diagnostic {
    Diagnostic::error(Code::NO_CONNECTION, call, "nothing says which Marathon this goes to")
        .label("needs a Marathon")
        .help("try it on this machine, without a cluster: `pipe run --local`")
        .help("or name one: `connect marathon(\"https://marathon.example.com\")`, or set `MARATHON_URL`")
}

fn no_mesos(call: Span) -> Diagnostic {
    Diagnostic::error(Code::NO_CONNECTION, call, "nothing says which Mesos cluster this runs on")
        .label("needs a Mesos")
        .help("name one: `connect mesos(\"http://mesos.example.com:5050\")`")
}

fn no_local_mesos(call: Span) -> Diagnostic {
    let what = "with `--local` there is no Mesos cluster to run this on";
    Diagnostic::error(Code::NO_CONNECTION, call, what)
        .label("needs a Mesos")
        .help("leave the stage out: `pipe run --local --skip STAGE`, or run it without `--local`")
}
