//! pest's idea of what is missing, in words that people type.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::{Rule, habits};
use crate::{
    diagnostic::{Code, Diagnostic, list_or},
    span::{SourceId, Span},
};

/// Turns the error of a parse of `part`, which starts at `base`, into a message.
pub(super) fn problem(
    source: SourceId,
    base: usize,
    part: &str,
    error: &Error<Rule>,
) -> Diagnostic {
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        let span = Span::new(source, base, base + part.trim_end().len());
        return Diagnostic::error(Code::SYNTAX, span, "this is too complex to be read");
    };
    let wanted = words(positives);
    let rest = &part[at.min(part.len())..];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let (at, rest) = (at + blank, &rest[blank..]);
    if rest.is_empty() || rest.starts_with(['\n', '\r', '#']) {
        return ends_early(source, base, part, at, &wanted);
    }
    let token = token(rest);
    let span = Span::new(source, base + at, base + at + token.len());
    let has = |rule| positives.contains(&rule);
    if let Some(name) = param_name(&part[..at]).filter(|_| has(Rule::colon)) {
        return Diagnostic::error(
            Code::SYNTAX,
            span,
            format!("the parameter `{name}` has no type"),
        )
        .label("expected `:` and a type before this")
        .help(format!("write `param {name}: int = …`, or which type it is"));
    }
    if let Some(problem) = habits::sign(source, base, part, at, &has) {
        return problem;
    }
    if has(Rule::comma) && starts_value(token) {
        let last = part[..at].trim_end();
        let kind = if has(Rule::close_paren) {
            "two arguments"
        } else if has(Rule::close_brace) {
            "two fields"
        } else {
            "two items"
        };
        return Diagnostic::error(Code::SYNTAX, span, format!("a `,` is missing between {kind}"))
            .label(format!("expected {} before this", list_or(&wanted)))
            .help(format!("write `{}, {token}`", last_word(last)));
    }
    let problem = Diagnostic::error(Code::SYNTAX, span, format!("`{token}` was not expected here"));
    if wanted.is_empty() {
        problem
    } else if matches!(wanted.as_slice(), [only] if only == "an operator") {
        problem
            .label("expected an operator or the end of the line")
            .help("each statement stands on a line of its own")
    } else {
        problem.label(format!("expected {}", list_or(&wanted)))
    }
}

/// The name, where a text is only `param name`.
fn param_name(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("param ")?.trim();
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some(name)
}

/// A line that ends before it should.
fn ends_early(
    source: SourceId,
    base: usize,
    part: &str,
    at: usize,
    wanted: &[String],
) -> Diagnostic {
    let end = part[..at].trim_end().len();
    let last = part[..end].chars().next_back().map_or(0, char::len_utf8);
    let span = Span::new(source, base + end - last, base + end);
    let what = match wanted {
        [one] => format!("{one} is missing here"),
        _ => "something is missing at the end of this line".to_owned(),
    };
    let problem = Diagnostic::error(Code::SYNTAX, span, what);
    match wanted {
        [] => problem,
        _ => problem.label(format!("expected {} after this", list_or(wanted))),
    }
}

/// A line that is no statement, where nothing more can be said.
pub(super) fn no_statement(span: Span) -> Diagnostic {
    Diagnostic::error(Code::SYNTAX, span, "this is no statement")
        .label("can't be read")
        .help("a command begins with `$`, everything else is `let`, a call, `if`, `for` or `step`")
}

/// The token at the begin of a text, as a person sees it.
pub(super) fn token(text: &str) -> &str {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return "" };
    let end = if word(first) {
        chars.find(|(_, c)| !word(*c)).map_or(text.len(), |(at, _)| at)
    } else if first == '"' {
        let line = text.find('\n').unwrap_or(text.len());
        text[1..line].find('"').map_or(line, |n| n + 2)
    } else {
        let pair = ["&&", "||", "==", "!=", "<=", ">=", "??", "->", "=>", "${", "{{", ".."];
        pair.iter().find(|p| text.starts_with(**p)).map_or(first.len_utf8(), |p| p.len())
    };
    &text[..end]
}

fn starts_value(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '\'' | '_' | '[' | '{'))
}

fn last_word(text: &str) -> &str {
    let start = text.rfind([' ', '(', '[', '{', '\n']).map_or(0, |n| n + 1);
    &text[start..]
}

/// What was expected, most telling first, each once.
fn words(rules: &[Rule]) -> Vec<String> {
    let name_only = rules.iter().any(|r| matches!(r, Rule::name | Rule::any_name))
        && !rules.iter().any(|r| matches!(r, Rule::string | Rule::number | Rule::list));
    let parameters = rules.contains(&Rule::open_paren) && !rules.contains(&Rule::number);
    let many_clauses = rules.iter().filter(|r| is_clause(**r)).count() > 3;
    let mut ranked: Vec<(u8, String)> = Vec::new();
    for rule in rules {
        let found = match rule {
            Rule::name | Rule::any_name if name_only => Some((0, "a name".to_owned())),
            Rule::open_paren if parameters => Some((0, "`(`".to_owned())),
            rule if is_clause(*rule) && many_clauses => Some((2, "a clause".to_owned())),
            rule => word(*rule),
        };
        if let Some(found) = found
            && !ranked.iter().any(|(_, text)| *text == found.1)
        {
            ranked.push(found);
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, text)| text).collect()
}

fn is_clause(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::clause
            | Rule::kw_for
            | Rule::kw_needs
            | Rule::kw_after
            | Rule::kw_when
            | Rule::kw_using
            | Rule::kw_approve
            | Rule::kw_lock
            | Rule::kw_retry
            | Rule::kw_timeout
            | Rule::kw_may_fail
            | Rule::kw_at_once
            | Rule::kw_keep_going
            | Rule::kw_env
            | Rule::kw_cd
            | Rule::kw_workspace
    )
}

/// How a rule is called, and where in the list it stands; nothing for what only confuses.
fn word(rule: Rule) -> Option<(u8, String)> {
    let text = match rule {
        Rule::expr
        | Rule::value
        | Rule::name
        | Rule::string
        | Rule::number
        | Rule::raw_string
        | Rule::list
        | Rule::record
        | Rule::group
        | Rule::capture
        | Rule::if_expr
        | Rule::fail_value
        | Rule::not
        | Rule::negative
        | Rule::argument
        | Rule::element
        | Rule::open_paren
        | Rule::open_bracket
        | Rule::quote
        | Rule::hole
        | Rule::wide_hole
        | Rule::triple_quote
        | Rule::single_quote
        | Rule::kw_fail
        | Rule::spread => {
            return Some((0, "a value".to_owned()));
        }
        Rule::any_name => return Some((0, "a name".to_owned())),
        Rule::type_expr
        | Rule::type_term
        | Rule::type_name
        | Rule::type_group
        | Rule::type_record
        | Rule::type_number => return Some((0, "a type".to_owned())),
        Rule::field | Rule::key => return Some((0, "a field".to_owned())),
        Rule::parameter => return Some((0, "a parameter".to_owned())),
        Rule::type_field => return Some((0, "a field".to_owned())),
        Rule::infix_lead | Rule::infix_trail => return Some((5, "an operator".to_owned())),
        Rule::outcome => return Some((1, "`success`, `failure`, `cancelled`".to_owned())),
        Rule::workspace_kind => return Some((1, "`own` or `clean`".to_owned())),
        Rule::block | Rule::open_brace => "{",
        Rule::close_brace => "}",
        Rule::close_paren => ")",
        Rule::close_bracket => "]",
        Rule::open_angle => "<",
        Rule::close_angle => ">",
        Rule::comma => ",",
        Rule::colon => ":",
        Rule::equals => "=",
        Rule::bar => "|",
        Rule::question => "?",
        Rule::arrow => "->",
        Rule::kw_in => "in",
        Rule::kw_as => "as",
        Rule::kw_if => "if",
        Rule::kw_then => "then",
        Rule::kw_else => "else",
        Rule::kw_every => "every",
        Rule::kw_within => "within",
        Rule::kw_matches => "matches",
        Rule::modifier | Rule::step | Rule::command | Rule::modified => {
            return Some((1, "a command or a call".to_owned()));
        }
        _ => return None,
    };
    Some((3, format!("`{text}`")))
}
