//! The inputs of a run: from the command line, the environment, a file, the defaults.

use pipe_grammar::{
    Code, Diagnostic, Source, Span,
    diagnostic::did_you_mean,
    tree::{BinaryOp, ExprId, ExprKind, ItemKind, Limit, Param},
};
use pipe_stdlib::core::{Glob, Type, Value, convert, describe, literal_value};

use super::{Facts, Inputs};
use crate::{check::a, program::Program, record::restore};

/// Where a value was given.
struct Given {
    text: String,
    /// As a message calls it: `the command line`.
    from: String,
}

/// Binds every parameter, or says which can't be.
pub(super) fn bind(facts: &mut Facts, inputs: &Inputs, problems: &mut Vec<Diagnostic>) {
    let (program, world) = (facts.program.clone(), facts.world.clone());
    let params: Vec<&Param> = program
        .file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Param(param) => Some(param),
            _ => None,
        })
        .collect();
    for (name, _) in &inputs.params {
        if !params.iter().any(|param| *param.name.text == **name) {
            problems.push(unknown(name, &params));
        }
    }
    let file = file(inputs, &params, problems);
    for param in params {
        let name = &param.name.text;
        let variable = format!("PIPE_PARAM_{}", name.to_uppercase());
        let from_line = inputs.params.iter().rev().find(|(given, _)| **given == **name);
        let given = from_line
            .map(|(_, text)| Given { text: text.clone(), from: "the command line".to_owned() })
            .or_else(|| {
                let text = world.variable(&variable)?.to_owned();
                Some(Given { text, from: format!("`{variable}`") })
            });
        let ty = program.checked.written.get(&param.ty.span).cloned().unwrap_or(Type::Unknown);
        let recorded = inputs.recorded.as_ref().and_then(|all| all.params.get(&**name));
        let value = match given {
            _ if recorded.is_some() => recorded
                .and_then(|json| restore(json, &ty))
                .ok_or_else(|| bad(param, &ty, "another value", "the journal of the run")),
            Some(given) => read(param, &ty, &given),
            None => match file.get(&**name) {
                Some(value) => convert(Value::from_json(value), &ty)
                    .map_err(|misfit| bad(param, &ty, &misfit.found, "the file of `--params`")),
                None => default(facts, param, &ty),
            },
        };
        match value.and_then(|value| limited(&program, param, value)) {
            Ok(value) => {
                facts.params.insert(name.clone(), value);
            }
            Err(problem) => problems.push(*problem),
        }
    }
}

type Bound = Result<Value, Box<Diagnostic>>;

fn file(
    inputs: &Inputs,
    params: &[&Param],
    problems: &mut Vec<Diagnostic>,
) -> serde_json::Map<String, serde_json::Value> {
    let Some((name, text)) = &inputs.params_file else { return serde_json::Map::new() };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(fields)) => {
            for field in fields.keys() {
                if !params.iter().any(|param| *param.name.text == **field) {
                    problems.push(unknown(field, params));
                }
            }
            fields
        }
        Ok(_) => {
            let what = format!("`{name}` holds no object of parameters");
            problems.push(
                Diagnostic::placeless(Code::BAD_PARAM, what).help("write `{ \"name\": value }`"),
            );
            serde_json::Map::new()
        }
        Err(_) => {
            let problem = crate::sources::json_problem(text);
            let why = problem.map_or(String::new(), |p| {
                let source = Source::new(name.clone(), text.clone());
                let (line, column) = source.position(u32::try_from(p.bytes.start).unwrap_or(0));
                format!(" at {line}:{column}: {}", p.message)
            });
            problems.push(Diagnostic::placeless(
                Code::BAD_PARAM,
                format!("`{name}` is not valid JSON{why}"),
            ));
            serde_json::Map::new()
        }
    }
}

/// The value that a text of the command line means.
fn read(param: &Param, ty: &Type, given: &Given) -> Bound {
    let text = given.text.as_str();
    let wrong = || bad(param, ty, &format!("`{text}`"), &given.from);
    let value = match ty.required() {
        Type::String | Type::Path => Value::string(text),
        Type::Literals(members) => {
            let int = members.iter().any(|m| matches!(m, pipe_stdlib::core::Literal::Int(_)));
            match text.parse() {
                Ok(value) if int => Value::Int(value),
                _ => Value::string(text),
            }
        }
        Type::Bool => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(wrong()),
        },
        Type::Json | Type::List(_) | Type::Map(_) | Type::Record(_) => {
            let json = serde_json::from_str(text).map_err(|_| {
                Box::new(
                    wrong().help("lists and records are given as JSON: `name='[\"a\", \"b\"]'`"),
                )
            })?;
            Value::from_json(&json)
        }
        // Numbers, durations and sizes are written as in the file.
        _ => literal(text).ok_or_else(wrong)?,
    };
    convert(value, ty).map_err(|_| wrong())
}

fn literal(text: &str) -> Option<Value> {
    let source = format!("let x = {text}");
    let parsed = pipe_grammar::parse(pipe_grammar::SourceId::default(), &source);
    if !parsed.problems.is_empty() {
        return None;
    }
    match &parsed.file.items.first()?.kind {
        ItemKind::Let(binding) => literal_value(&parsed.file, binding.value),
        _ => None,
    }
}

fn default(facts: &Facts, param: &Param, ty: &Type) -> Bound {
    let Some(default) = param.default else {
        if matches!(ty, Type::Optional(_)) {
            return Ok(Value::Null);
        }
        return Err(Box::new(missing(param, ty)));
    };
    match facts.value(default) {
        Ok(value) => {
            convert(value, ty).map_err(|misfit| bad(param, ty, &misfit.found, "its default"))
        }
        Err(stop) => Err(Box::new(super::problem(stop).unwrap_or_else(|| {
            let what = "the default of a parameter is known before anything runs";
            Diagnostic::error(Code::EVALUATION, facts.program.file.span(default), what)
        }))),
    }
}

fn limited(program: &Program, param: &Param, value: Value) -> Bound {
    let plain = |id: ExprId| match literal_value(&program.file, id) {
        Some(Value::String(text)) => text.to_string(),
        _ => String::new(),
    };
    let broken = match (param.limit, &value) {
        (Some(Limit::In(range)), Value::Int(number)) => {
            let ends = ends(program, range);
            ends.is_some_and(|(low, high)| !(low..=high).contains(number)).then(|| {
                let (low, high) = ends.unwrap_or_default();
                format!("is not in {low}..{high}")
            })
        }
        (Some(Limit::Matches(pattern)), Value::String(text)) => {
            let pattern = plain(pattern);
            let matches = Glob::new(&pattern).is_ok_and(|glob| glob.matches(text));
            (!matches).then(|| format!("does not match \"{pattern}\""))
        }
        _ => None,
    };
    match broken {
        None => Ok(value),
        Some(why) => {
            let what = format!("{} {why}", describe(&value));
            Err(Box::new(
                Diagnostic::error(
                    Code::BAD_PARAM,
                    param.name.span,
                    format!("the parameter `{}`: {what}", param.name.text),
                )
                .label("declared here"),
            ))
        }
    }
}

fn ends(program: &Program, range: ExprId) -> Option<(i64, i64)> {
    let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = program.file.expr(range).kind
    else {
        return None;
    };
    let int = |id| match literal_value(&program.file, id) {
        Some(Value::Int(value)) => Some(value),
        _ => None,
    };
    Some((int(left)?, int(right)?))
}

fn unknown(name: &str, params: &[&Param]) -> Diagnostic {
    let names: Vec<&str> = params.iter().map(|param| &*param.name.text).collect();
    let problem =
        Diagnostic::placeless(Code::UNKNOWN_PARAM, format!("the file has no parameter `{name}`"))
            .help_if(did_you_mean(name, names.iter().copied()));
    if names.is_empty() {
        problem.help("it has none")
    } else {
        problem.help(format!("it has: {}", names.join(", ")))
    }
}

fn missing(param: &Param, ty: &Type) -> Diagnostic {
    let name = &param.name.text;
    let span: Span = param.name.span;
    let example = match ty {
        Type::Int => "1",
        Type::Bool => "true",
        Type::Duration => "5m",
        Type::Literals(_) | Type::String | Type::Path => "…",
        _ => "'…'",
    };
    Diagnostic::error(Code::MISSING_PARAM, span, format!("the parameter `{name}` has no value"))
        .label("it has no default")
        .help(format!(
            "give it: `pipe run {name}={example}`, or set `PIPE_PARAM_{}`",
            name.to_uppercase()
        ))
}

fn bad(param: &Param, ty: &Type, found: &str, from: &str) -> Box<Diagnostic> {
    let name = &param.name.text;
    let what = format!("the parameter `{name}` is {}, and {from} says {found}", a(ty));
    let problem = Diagnostic::error(Code::BAD_PARAM, param.ty.span, what).label("declared here");
    let plain = found.trim_matches('`').trim_matches('"');
    let help = match ty.required() {
        Type::Literals(members) => {
            let texts: Vec<String> =
                members.iter().map(|m| m.to_string().replace('"', "")).collect();
            did_you_mean(plain, texts.iter().map(String::as_str))
        }
        Type::Duration => Some("durations are written like `90s`, `1h30m`".to_owned()),
        Type::Size => Some("sizes are written like `128MiB`, `10kB`".to_owned()),
        Type::Bool => Some("write `true` or `false`".to_owned()),
        _ => None,
    };
    Box::new(problem.help_if(help))
}
