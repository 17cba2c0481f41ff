//! App definitions: a file that a call names, or a record, with the changes that are put over it,
//! as far as the text tells what they are.

use std::collections::BTreeMap;

use pipe_grammar::{
    Code, Diagnostic, Severity, Span,
    tree::{Argument, Element, ExprId, ExprKind, Field, Piece, Statement, StatementKind, Text},
};
use pipe_stdlib::{
    core::{Literal, Signature, TextProblem, Type, literal_value},
    marathon::{
        AppProblem, Kind, Known, KnownFields, On, app_problems, as_json, is_mutable, place,
        pointer_step, read_definition, unwrapped,
    },
};
use serde_json::Value as Json;

use super::Checker;

/// How many names are followed to what they are bound to.
const FARTHEST: usize = 8;

/// Where in the Pipelinefile the values of a definition stand, by their pointers: key and value.
type Places = BTreeMap<String, (Span, Span)>;

/// A definition in a file.
struct AppFile {
    id: ExprId,
    path: String,
    text: String,
    json: Json,
    /// Where in it the definition is.
    within: &'static str,
}

impl Checker<'_> {
    /// Looks whether Marathon would take the definition that a call gives.
    pub(super) fn app(&mut self, signature: &Signature, arguments: &[Argument]) {
        let parameters = signature.parameters.as_deref().unwrap_or_default();
        let Some(definition) = parameters.iter().find(|p| p.ty.required() == Type::App) else {
            return;
        };
        let given = |name: &str| {
            let first = parameters.first().is_some_and(|first| &*first.name == name);
            let mut all = arguments.iter().enumerate();
            let found = all.find(|(place, argument)| match &argument.name {
                Some(written) => &*written.text == name,
                None => *place == 0 && first,
            });
            found.map(|(_, argument)| argument.value)
        };
        let Some(id) = given(&definition.name) else { return };
        let mut places = Places::new();
        let mut file = None;
        let named = self.followed(id, FARTHEST);
        let mut app = match self.plain(named) {
            Some(path) => {
                let Some(found) = self.app_file(id, path) else { return };
                let (app, within) = unwrapped(Known::from(&found.json));
                file = Some(AppFile { within, ..found });
                app
            }
            None if self.is_path(named) => Known::Open(Kind::Object),
            None => self.known(named, "", &mut places, FARTHEST),
        };
        for (name, pointer) in [("with", ""), ("strategy", "/upgradeStrategy")] {
            let Some(id) = given(name) else { continue };
            let mut change = self.known(id, pointer, &mut places, FARTHEST);
            if !pointer.is_empty() {
                let known = [(pointer[1..].to_owned(), change)].into();
                change = Known::Object(KnownFields { known, open: false });
            }
            if change != Known::Absent {
                app.merge(&change);
            }
        }
        for problem in app_problems(&app, None) {
            self.app_problem(id, file.as_ref(), &places, Code::INVALID_APP, problem);
        }
        if let Some(problem) = mutable_tag(&app) {
            self.app_problem(id, file.as_ref(), &places, Code::MUTABLE_TAG, problem);
        }
    }

    /// The file that is named; what is wrong with it as a text is told.
    fn app_file(&mut self, id: ExprId, path: String) -> Option<AppFile> {
        // What is missing, or outside, was told already.
        if path.contains('\\') || !self.files.exists(&path) {
            return None;
        }
        let text = self.named_text(id, &path)?;
        match read_definition(&path, &text) {
            Ok(json) => Some(AppFile { id, path, text, json, within: "" }),
            Err((code, problem)) => {
                self.foreign(id, &path, text, code, problem);
                None
            }
        }
    }

    /// Tells a problem where the value stands, or the nearest thing around it.
    fn app_problem(
        &mut self,
        id: ExprId,
        file: Option<&AppFile>,
        places: &Places,
        code: Code,
        problem: AppProblem,
    ) {
        let mut here = problem.pointer.as_str();
        loop {
            let on = if here == problem.pointer { problem.on } else { On::Key };
            if let Some((key, value)) = places.get(here) {
                let span = if on == On::Key { *key } else { *value };
                return self.written_problem(span, code, problem);
            }
            if let Some(file) = file {
                let pointer = format!("{}{here}", file.within);
                if file.json.pointer(&pointer).is_some()
                    && let Some(bytes) = place(&file.path, &file.text, &pointer, on)
                {
                    return self.file_problem(file, bytes, code, problem);
                }
            }
            let Some((around, _)) = here.rsplit_once('/') else { break };
            here = around;
        }
        let whole = self.span(id);
        let record = matches!(self.file.expr(id).kind, ExprKind::Record(_));
        let end = if record { whole.start + 1 } else { whole.end };
        self.written_problem(Span { end, ..whole }, code, problem);
    }

    fn written_problem(&mut self, span: Span, code: Code, problem: AppProblem) {
        let diagnostic = match problem.severity {
            Severity::Error => Diagnostic::error(code, span, problem.message),
            _ => Diagnostic::warning(code, span, problem.message),
        };
        self.report(diagnostic.help_if(problem.help));
    }

    fn file_problem(
        &mut self,
        file: &AppFile,
        bytes: std::ops::Range<usize>,
        code: Code,
        problem: AppProblem,
    ) {
        let AppProblem { message, help, severity, .. } = problem;
        let problem = TextProblem { bytes, message, help };
        self.foreign(file.id, &file.path, file.text.clone(), code, problem);
        if let Some(last) = self.checked.foreign.last_mut() {
            last.severity = severity;
        }
    }

    /// What a name is bound to by a `let`, as far as that can be followed.
    fn followed(&self, id: ExprId, steps: usize) -> ExprId {
        let bound = match &self.file.expr(id).kind {
            ExprKind::Group(inner) => Some(*inner),
            ExprKind::Name(name) => self.let_of(name),
            _ => None,
        };
        match bound {
            Some(bound) if steps > 0 => self.followed(bound, steps - 1),
            _ => id,
        }
    }

    fn let_of(&self, name: &Text) -> Option<ExprId> {
        let local = self.scopes.iter().rev().find_map(|scope| scope.names.get(name));
        match local {
            Some(local) => self.file.stages().find_map(|stage| {
                let inside = stage.body.span.contains(local.span);
                inside.then(|| bound_at(&stage.body.statements, local.span)).flatten()
            }),
            None => self.bound_to(&self.qualified(name)),
        }
    }

    fn is_path(&self, id: ExprId) -> bool {
        let ty = self.checked.types[id.0 as usize].required();
        ty == Type::Path || ty.is_string() || matches!(ty, Type::Literals(_))
    }

    /// What is known of a value, and where it stands.
    fn known(&self, id: ExprId, pointer: &str, places: &mut Places, steps: usize) -> Known {
        let id = self.followed(id, steps);
        match &self.file.expr(id).kind {
            ExprKind::String { pieces, .. }
                if pieces.iter().any(|piece| matches!(piece, Piece::Hole(..))) =>
            {
                Known::Open(Kind::Text)
            }
            ExprKind::List(elements) => {
                let mut items = Vec::new();
                for (at, element) in elements.iter().enumerate() {
                    let Element::Item(item) = element else { return Known::Open(Kind::List) };
                    let pointer = format!("{pointer}/{at}");
                    let span = self.span(*item);
                    places.insert(pointer.clone(), (first_line(self.slice(span), span), span));
                    items.push(self.known(*item, &pointer, places, steps.saturating_sub(1)));
                }
                Known::List(items)
            }
            ExprKind::Record(fields) => {
                Known::Object(self.known_fields(fields, pointer, places, steps.saturating_sub(1)))
            }
            _ => match literal_value(self.file, id) {
                Some(value) => Known::from(&as_json(&value)),
                None => of_type(&self.checked.types[id.0 as usize]),
            },
        }
    }

    fn known_fields(
        &self,
        fields: &[Field],
        pointer: &str,
        places: &mut Places,
        steps: usize,
    ) -> KnownFields {
        let mut object = KnownFields::default();
        for field in fields {
            match field {
                Field::Pair { path, value } => {
                    let mut here = pointer.to_owned();
                    for key in path {
                        here += &pointer_step(&key.text);
                        let span = self.span(*value);
                        places.insert(here.clone(), (key.span, span));
                    }
                    let value = self.known(*value, &here, places, steps);
                    let keys: Vec<&str> = path.iter().map(|key| &*key.text).collect();
                    set(&mut object, &keys, value);
                }
                Field::Short { name, value } => {
                    let here = format!("{pointer}{}", pointer_step(&name.text));
                    places.insert(here.clone(), (name.span, name.span));
                    let value = self.known(*value, &here, places, steps);
                    set(&mut object, &[&name.text], value);
                }
                Field::Spread(value) => match self.known(*value, pointer, places, steps) {
                    Known::Object(spread) => {
                        if spread.open {
                            object.known.values_mut().for_each(forget);
                            object.open = true;
                        }
                        object.known.extend(spread.known);
                    }
                    _ => {
                        object.known.values_mut().for_each(forget);
                        object.open = true;
                    }
                },
            }
        }
        object
    }
}

/// An image whose name may mean another one tomorrow.
fn mutable_tag(app: &Known) -> Option<AppProblem> {
    let Known::Text(image) = app.pointed("/container/docker/image") else { return None };
    is_mutable(image).then(|| AppProblem {
        pointer: "/container/docker/image".to_owned(),
        on: On::Value,
        message: format!("`{image}` means whatever was pushed last"),
        help: Some(
            "give it a tag of its own, or the reference that `docker.push` answers, so that \
             a rollback finds what ran"
                .to_owned(),
        ),
        severity: Severity::Warning,
    })
}

/// What stands left of a spread may be replaced by it.
fn forget(value: &mut Known) {
    *value = Known::Open(Kind::Anything);
}

fn set(object: &mut KnownFields, keys: &[&str], value: Known) {
    let [key, rest @ ..] = keys else { return };
    if rest.is_empty() {
        object.known.insert((*key).to_owned(), value);
        return;
    }
    let open = object.open;
    let inner = object
        .known
        .entry((*key).to_owned())
        .or_insert_with(|| Known::Object(KnownFields { open, ..KnownFields::default() }));
    if let Known::Open(_) = inner {
        *inner = Known::Object(KnownFields { open: true, ..KnownFields::default() });
    }
    if let Known::Object(inner) = inner {
        set(inner, rest, value);
    }
}

/// What a type says of a value.
fn of_type(ty: &Type) -> Known {
    let kind = match ty {
        Type::Null => return Known::Absent,
        Type::Record(record) => {
            let known = record.fields.iter().map(|field| {
                let value =
                    if field.optional { Known::Open(Kind::Anything) } else { of_type(&field.ty) };
                (field.name.to_string(), value)
            });
            return Known::Object(KnownFields { known: known.collect(), open: false });
        }
        Type::String | Type::Path => Kind::Text,
        Type::Literals(members) if members.iter().all(|m| matches!(m, Literal::Text(_))) => {
            Kind::Text
        }
        Type::Literals(members) if members.iter().all(|m| matches!(m, Literal::Int(_))) => {
            Kind::Whole
        }
        Type::Int => Kind::Whole,
        // Seconds and MiB, which need not be whole.
        Type::Float | Type::Duration | Type::Size => Kind::Number,
        Type::Bool => Kind::Bool,
        Type::List(_) => Kind::List,
        Type::Map(_) | Type::Environment => Kind::Object,
        _ => Kind::Anything,
    };
    Known::Open(kind)
}

/// The expression that a `let` binds to the name at a place.
fn bound_at(statements: &[Statement], name: Span) -> Option<ExprId> {
    statements.iter().filter(|statement| statement.span.contains(name)).find_map(|statement| {
        match &statement.kind {
            StatementKind::Let(binding) => (binding.name.span == name).then_some(binding.value),
            StatementKind::Step { body, .. }
            | StatementKind::For { body, .. }
            | StatementKind::Parallel(body)
            | StatementKind::Block(body) => bound_at(&body.statements, name),
            StatementKind::If { branches, otherwise } => branches
                .iter()
                .map(|branch| &branch.body)
                .chain(otherwise)
                .find_map(|body| bound_at(&body.statements, name)),
            StatementKind::Modified { body, .. } => bound_at(std::slice::from_ref(body), name),
            _ => None,
        }
    })
}

/// Where a value of many lines begins.
fn first_line(text: &str, span: Span) -> Span {
    if text.contains('\n') { Span { end: span.start + 1, ..span } } else { span }
}
