//! The outline of a file, as `pipe list` shows it.

use pipe_grammar::{
    Span,
    tree::{self, After, ClauseKind, ExprId, ExprKind, Item, ItemKind, Limit, Piece},
};
use pipe_stdlib::core::{Type, Value, literal_value};
use serde::Serialize;

use crate::program::Program;

/// The outline of a file; as JSON it is what `pipe list --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// The version of this form; it changes when a field goes or means something else.
    pub version: u32,
    /// The pipeline's name.
    pub name: String,
    /// The comment above the first declaration, if that is the edition or the pipeline.
    pub docs: String,
    /// Its inputs, in order.
    pub params: Vec<Param>,
    /// Its secrets, in order.
    pub secrets: Vec<Secret>,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type, in the language's own syntax.
    #[serde(rename = "type")]
    pub ty: String,
    /// `in 1..50`, `matches "v*"`
    pub limit: Option<String>,
    /// The default as it is written.
    pub default: Option<String>,
    /// Whether a run must give it.
    pub required: bool,
    /// Its documentation.
    pub docs: String,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The variable of the environment that holds it.
    pub variable: Option<String>,
    /// The file that holds it.
    pub file: Option<String>,
    /// Its documentation.
    pub docs: String,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Its title, with holes as they are written: `Test on #{rust}`.
    pub title: Option<String>,
    /// Its documentation.
    pub docs: String,
    /// The condition on which it runs.
    pub when: Option<String>,
    /// `rust in ["1.85", "1.95"]`: it runs once for each.
    #[serde(rename = "for")]
    pub each: Option<String>,
    /// The stages that must have succeeded.
    pub needs: Vec<String>,
    /// The stages that it waits for; null: all above it.
    pub after: Option<Vec<String>>,
    /// What stages below can read of it.
    pub outputs: Vec<Output>,
}

/// An output of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its type, in the language's own syntax.
    #[serde(rename = "type")]
    pub ty: String,
}

impl Outline {
    /// The outline of a file, in a folder called `folder`.
    #[must_use]
    pub fn of(program: &Program, folder: &str) -> Self {
        let own = program.file.items.iter().filter(|i| i.span.source == program.file.source);
        let items: Vec<&Item> = own.collect();
        let first = items
            .first()
            .filter(|item| matches!(item.kind, ItemKind::Edition(_) | ItemKind::Pipeline(_)));
        let mut outline = Self {
            version: 1,
            name: folder.to_owned(),
            docs: first.map_or(String::new(), |item| item.docs.to_string()),
            params: Vec::new(),
            secrets: Vec::new(),
            stages: Vec::new(),
        };
        for item in items {
            let docs = item.docs.to_string();
            match &item.kind {
                ItemKind::Pipeline(pipeline) => {
                    if let Some(Value::String(name)) = literal_value(&program.file, pipeline.name) {
                        outline.name = name.to_string();
                    }
                    if outline.docs.is_empty() {
                        outline.docs = docs;
                    }
                }
                ItemKind::Param(found) => outline.params.push(param(program, found, docs)),
                ItemKind::Secret(found) => outline.secrets.push(secret(program, found, docs)),
                ItemKind::Stage(found) => {
                    let number = outline.stages.len();
                    outline.stages.push(stage(program, found, number, docs));
                }
                _ => {}
            }
        }
        outline
    }
}

fn param(program: &Program, param: &tree::Param, docs: String) -> Param {
    let ty = program.checked.written.get(&param.ty.span).cloned().unwrap_or(Type::Unknown);
    let limit = param.limit.map(|limit| match limit {
        Limit::In(id) => format!("in {}", written(program, program.file.span(id))),
        Limit::Matches(id) => format!("matches {}", written(program, program.file.span(id))),
    });
    Param {
        name: param.name.text.to_string(),
        ty: ty.to_string(),
        limit,
        default: param.default.map(|id| written(program, program.file.span(id))),
        required: param.default.is_none() && !matches!(ty, Type::Optional(_)),
        docs,
    }
}

fn secret(program: &Program, secret: &tree::Secret, docs: String) -> Secret {
    let file = &program.file;
    let mut found = Secret { name: secret.name.text.to_string(), variable: None, file: None, docs };
    if let ExprKind::Call { callee, arguments, .. } = &file.expr(secret.value).kind
        && let (ExprKind::Name(kind), Some(first)) = (&file.expr(*callee).kind, arguments.first())
    {
        let from = match literal_value(file, first.value) {
            Some(Value::String(text)) => text.to_string(),
            _ => written(program, file.span(first.value)),
        };
        match &**kind {
            "env" => found.variable = Some(from),
            _ => found.file = Some(from),
        }
    }
    found
}

fn stage(program: &Program, stage: &tree::Stage, number: usize, docs: String) -> Stage {
    let mut found = Stage {
        name: stage.name.text.to_string(),
        title: stage.title.map(|id| title(program, id)),
        docs,
        when: None,
        each: None,
        needs: Vec::new(),
        after: None,
        outputs: Vec::new(),
    };
    for clause in &stage.clauses {
        match &clause.kind {
            ClauseKind::When(id) => found.when = Some(written(program, program.file.span(*id))),
            ClauseKind::For { .. } => {
                let all = written(program, clause.span);
                found.each = Some(all.trim_start_matches("for ").to_owned());
            }
            ClauseKind::After(After::Nothing) => found.after = Some(Vec::new()),
            ClauseKind::After(After::Stages(names)) => {
                found.after = Some(names.iter().map(|name| name.text.to_string()).collect());
            }
            _ => {}
        }
    }
    if let Some(facts) = program.checked.stages.get(number) {
        let needed = facts.needs.iter().filter_map(|n| program.checked.stages.get(*n));
        found.needs = needed.map(|stage| stage.name.to_string()).collect();
        for (name, ty) in &facts.outputs {
            let ty = if facts.instances { Type::list(ty.clone()) } else { ty.clone() };
            found.outputs.push(Output { name: name.to_string(), ty: ty.to_string() });
        }
    }
    found
}

/// The text under a span on one line.
fn written(program: &Program, span: Span) -> String {
    program.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A title with its holes as they are written.
fn title(program: &Program, id: ExprId) -> String {
    let ExprKind::String { pieces, .. } = &program.file.expr(id).kind else {
        return written(program, program.file.span(id));
    };
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Text(text, _) => text.to_string(),
        Piece::Hole(_, span) => written(program, *span),
    });
    pieces.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
