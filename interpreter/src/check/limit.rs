//! The limits of a parameter, as far as literals tell: `in 1..50`, `matches "v*"`.

use pipe_grammar::{
    Code, Diagnostic,
    tree::{BinaryOp, ExprId, ExprKind, Param},
};
use pipe_stdlib::core::{Glob, Value, literal_value};

use super::Checker;

impl Checker<'_> {
    /// A default outside its range, and a range that holds nothing.
    pub(super) fn default_in(&mut self, param: &Param, range: ExprId) {
        let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = self.file.expr(range).kind
        else {
            return;
        };
        let int = |id| match literal_value(self.file, id) {
            Some(Value::Int(value)) => Some(value),
            _ => None,
        };
        let (Some(low), Some(high)) = (int(left), int(right)) else { return };
        if low > high {
            let span = self.span(range);
            return self.report(
                Diagnostic::error(Code::BAD_PARAM, span, "no number lies in this range")
                    .label("it begins above its end")
                    .help(format!("write `{high}..{low}`")),
            );
        }
        let default = param.default.and_then(|id| Some((id, int(id)?)));
        if let Some((id, value)) = default.filter(|(_, value)| !(low..=high).contains(value)) {
            let what = format!("the default {value} is not in {low}..{high}");
            let problem = Diagnostic::error(Code::BAD_PARAM, self.span(id), what)
                .label("outside the range")
                .also(self.span(range), "the range");
            self.report(problem);
        }
    }

    /// A default that its pattern does not match.
    pub(super) fn default_matches(&mut self, param: &Param, pattern: ExprId) {
        let Some(default) = param.default else { return };
        let (Some(text), Some(pattern_text)) = (self.plain(default), self.plain(pattern)) else {
            return;
        };
        if Glob::new(&pattern_text).is_ok_and(|glob| !glob.matches(&text)) {
            let what = format!("the default `{text}` does not match `{pattern_text}`");
            let problem = Diagnostic::error(Code::BAD_PARAM, self.span(default), what)
                .label("not matched")
                .also(self.span(pattern), "the pattern");
            self.report(problem);
        }
    }
}
