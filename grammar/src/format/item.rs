//! The file and its declarations.

use super::layout::Printer;
use crate::tree::{
    Edition, Function, Item, ItemKind, Let, Limit, Param, Parameter, Pipeline, Secret,
};

/// Written where a file names none.
const EDITION: &str = "edition 2026";

impl Printer<'_> {
    pub(super) fn file(&mut self) {
        let file = self.origin.file;
        let named = file.items.iter().any(|item| matches!(item.kind, ItemKind::Edition(_)));
        let mut wants_blank = false;
        if !named {
            self.missing_edition();
            wants_blank = true;
        }
        for (place, item) in file.items.iter().enumerate() {
            let before = self.written();
            self.lead(item.span.start as usize, place == 0);
            let lead = self.written();
            self.item(item);
            let tall = has_block(&item.kind) && self.since(lead).trim_start().contains('\n');
            if (tall || wants_blank) && before > 0 {
                self.widen(before);
            }
            wants_blank = tall || matches!(item.kind, ItemKind::Edition(_));
            self.trailing(item.span.end as usize);
        }
        self.dangling(self.origin.text.len(), false);
        self.newline();
        self.push("");
    }

    /// Below the comments about the file, above those about the first declaration.
    fn missing_edition(&mut self) {
        let first = self.origin.file.items.first();
        let end =
            first.map_or(self.origin.text.len(), |item| self.docs_start(item.span.start as usize));
        self.dangling(end, false);
        self.newline();
        self.push(EDITION);
    }

    /// Where the comment lines directly above a declaration begin.
    fn docs_start(&self, start: usize) -> usize {
        let comments = &self.origin.comments;
        let above = comments.partition_point(|comment| comment.start < start);
        let mut start = start;
        for comment in comments[..above].iter().rev() {
            let gap = &self.origin.text[comment.end..start];
            let shebang = comment.start == 0 && comment.text.starts_with("#!/");
            if gap.matches('\n').count() > 1 || shebang {
                break;
            }
            start = comment.start;
        }
        start
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Edition(Edition { year, .. }) => {
                self.push("edition ");
                self.push(year);
            }
            ItemKind::Pipeline(pipeline) => self.pipeline(pipeline, item.span.end as usize),
            ItemKind::Import(import) => {
                self.push("import ");
                self.expr(import.path, 0);
                self.alias(import.alias.as_ref());
            }
            ItemKind::Type(alias) => {
                self.push("type ");
                self.push(&alias.name.text);
                self.push(" =");
                let equals = self.origin.token_at(alias.name.span.end as usize);
                self.type_value(&alias.ty, equals);
            }
            ItemKind::Param(param) => self.param(param),
            ItemKind::Secret(secret) => self.secret(secret),
            ItemKind::Connect(connect) => {
                self.push("connect ");
                let behind = connect.alias.as_ref().map_or(0, |alias| 4 + alias.text.len());
                self.expr(connect.call, behind);
                self.alias(connect.alias.as_ref());
            }
            ItemKind::Let(binding) => self.binding("let ", binding),
            ItemKind::Require(require) => {
                self.push("require ");
                self.expr(require.condition, 1);
                self.push(",");
                self.assigned(require.message, 0);
            }
            ItemKind::Function(function) => self.function(function),
            ItemKind::Stage(stage) => self.stage(stage),
            ItemKind::Handler(handler) => self.handler(handler),
        }
    }

    fn alias(&mut self, alias: Option<&crate::tree::Name>) {
        if let Some(alias) = alias {
            self.push(" as ");
            self.push(&alias.text);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, end: usize) {
        self.push("pipeline ");
        self.expr(pipeline.name, 2);
        let open = self.origin.token_at(self.origin.range(pipeline.name).end);
        let braces = open < end && self.origin.text[open..].starts_with('{');
        if braces && (!pipeline.clauses.is_empty() || self.origin.has_comment(open..end)) {
            self.space();
            let items: Vec<_> = pipeline.clauses.iter().map(|c| c.span.range()).collect();
            self.lines((open, end - 1), &items, "", |printer, n| {
                printer.clause(&pipeline.clauses[n], 0);
            });
        }
    }

    fn param(&mut self, param: &Param) {
        self.push("param ");
        self.push(&param.name.text);
        self.push(": ");
        let limit = param.limit.map(|limit| match limit {
            Limit::In(value) => (" in ", value),
            Limit::Matches(value) => (" matches ", value),
        });
        self.type_expr(&param.ty, limit.map_or(2, |(word, _)| word.len()));
        if let Some((word, value)) = limit {
            self.push(word);
            self.expr(value, 2);
        }
        if let Some(default) = param.default {
            self.push(" =");
            self.assigned(default, 0);
        }
    }

    pub(super) fn secret(&mut self, secret: &Secret) {
        self.push("secret ");
        self.push(&secret.name.text);
        self.push(" =");
        self.assigned(secret.value, 0);
    }

    /// `let` and `output`.
    pub(super) fn binding(&mut self, word: &str, binding: &Let) {
        self.push(word);
        self.push(&binding.name.text);
        if let Some(ty) = &binding.ty {
            self.push(": ");
            self.type_expr(ty, 2);
        }
        self.push(" =");
        self.assigned(binding.value, 0);
    }

    fn function(&mut self, function: &Function) {
        self.push("fn ");
        self.push(&function.name.text);
        let open = self.origin.token_at(function.name.span.end as usize);
        let parameters = &function.parameters;
        let last = parameters.last().map_or(open + 1, |p| self.parameter_range(p).end);
        let mut close = self.origin.token_at(last);
        if self.origin.text[close..].starts_with(',') {
            close = self.origin.token_at(close + 1);
        }
        let flat = !self.origin.has_comment(open..close)
            && (parameters.is_empty() || !self.origin.ends_line(open))
            && self.attempt_line(|printer| {
                printer.push("(");
                printer.joined(parameters.len(), |printer, n| printer.parameter(&parameters[n], 0));
                printer.push(")");
                printer.result(function);
                printer.push(" {");
            });
        if flat {
            // The brace was only for its room.
            self.retract(" {");
        } else {
            let items: Vec<_> = parameters.iter().map(|p| self.parameter_range(p)).collect();
            self.lines((open, close), &items, ",", |printer, n| {
                printer.parameter(&parameters[n], 1);
            });
            self.result(function);
        }
        self.body(&function.body);
    }

    fn result(&mut self, function: &Function) {
        if let Some(ty) = &function.result {
            self.push(" -> ");
            self.type_expr(ty, 2);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, reserve: usize) {
        self.push(&parameter.name.text);
        self.push(": ");
        self.type_expr(&parameter.ty, reserve + usize::from(parameter.default.is_some()) * 2);
        if let Some(default) = parameter.default {
            self.push(" =");
            self.assigned(default, reserve);
        }
    }

    fn parameter_range(&self, parameter: &Parameter) -> std::ops::Range<usize> {
        let end = match parameter.default {
            Some(default) => self.origin.range(default).end,
            None => parameter.ty.span.end as usize,
        };
        parameter.name.span.start as usize..end
    }
}

/// Whether a declaration has a block of its own: then it stands between empty lines, unless it is
/// written on one line.
fn has_block(kind: &ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Pipeline(_) | ItemKind::Function(_) | ItemKind::Stage(_) | ItemKind::Handler(_)
    )
}
