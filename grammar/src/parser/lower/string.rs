//! Strings: escapes, holes, and the indentation of texts over several lines.

use pest::iterators::Pair;

use super::{Lower, Rule, inner};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::Span,
    tree::{ExprId, ExprKind, Piece, StringStyle, Text},
};

impl Lower<'_, '_> {
    pub(super) fn string(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let span = self.pair_span(&pair);
        if pair.as_rule() == Rule::raw_string {
            let text = inner(pair).find(|p| p.as_rule() == Rule::raw_text)?;
            let inner = self.pair_span_whole(&text);
            if text.as_str().contains("#{") {
                self.problems.push(raw_hole(span, inner, text.as_str()));
            }
            let piece = Piece::Text(self.text_of(inner), inner);
            return Some(self.push_string(vec![piece], StringStyle::Raw, span));
        }
        if pair.as_str().starts_with("\"\"\"") {
            return self.block_string(pair, span);
        }
        let mut pieces = Vec::new();
        for part in inner(pair) {
            let span = self.pair_span_whole(&part);
            match part.as_rule() {
                Rule::text => pieces.push(Piece::Text(self.text_of(span), span)),
                Rule::escape => {
                    let text = self.escape(part.as_str(), span);
                    pieces.push(Piece::Text(text, span));
                }
                Rule::interpolation => pieces.push(Piece::Hole(self.hole(part)?, span)),
                _ => {}
            }
        }
        Some(self.push_string(pieces, StringStyle::Plain, span))
    }

    fn push_string(&mut self, pieces: Vec<Piece>, style: StringStyle, span: Span) -> ExprId {
        let children: Vec<ExprId> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Hole(id, _) => Some(*id),
                Piece::Text(..) => None,
            })
            .collect();
        self.push(ExprKind::String { pieces: pieces.into(), style }, span, &children)
    }

    /// Where a pair stands, blanks at its end included: in a string they count.
    pub(super) fn pair_span_whole(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        self.span(self.base + span.start(), self.base + span.end())
    }

    pub(super) fn hole(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let hole = inner(pair).find(|p| matches!(p.as_rule(), Rule::hole | Rule::wide_hole))?;
        self.only_expr(hole)
    }

    fn escape(&mut self, written: &str, span: Span) -> Text {
        let text = match &written[1..] {
            "n" => "\n",
            "t" => "\t",
            "r" => "\r",
            "\"" => "\"",
            "\\" => "\\",
            "#{" => "#{",
            other => {
                let code = other.strip_prefix("u{").and_then(|hex| hex.strip_suffix('}'));
                let found =
                    code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
                match found {
                    Some(c) => return c.to_string().into(),
                    None => self.problems.push(bad_escape(span, written)),
                }
                ""
            }
        };
        text.into()
    }

    /// The text of a string without holes.
    pub(super) fn plain_text(&self, id: ExprId) -> Option<Text> {
        let ExprKind::String { pieces, .. } = &self.file.expr(id).kind else { return None };
        let texts: Option<Vec<&str>> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text, _) => Some(&**text),
                Piece::Hole(..) => None,
            })
            .collect();
        texts.map(|texts| texts.concat().into())
    }

    /// `"""`: the line end behind the first mark and the one before the last go; the indentation
    /// of the closing mark goes from each line. A mark that closes on a line of text has no
    /// indentation of its own: then it is the least of all lines.
    fn block_string(&mut self, pair: Pair<'_, Rule>, span: Span) -> Option<ExprId> {
        let body = self.span(span.start as usize + 3, span.end as usize - 3);
        let margin = self.margin(body);
        let mut pieces = Vec::new();
        // A line starts behind a line end, and at the begin of the text.
        let mut line_start = true;
        for part in inner(pair) {
            let span = self.pair_span_whole(&part);
            match part.as_rule() {
                Rule::block_text => self.block_lines(span, &margin, &mut line_start, &mut pieces),
                Rule::block_escape => {
                    let text: Text = part
                        .as_str()
                        .strip_prefix('\\')
                        .map_or("\\", |rest| if rest.is_empty() { "\\" } else { "#{" })
                        .into();
                    pieces.push(Piece::Text(text, span));
                    line_start = false;
                }
                Rule::block_hole => {
                    let hole = self.hole(part)?;
                    pieces.push(Piece::Hole(hole, span));
                    line_start = false;
                }
                _ => {}
            }
        }
        trim_ends(&mut pieces, self.text[body.range()].starts_with(['\n', '\r']));
        Some(self.push_string(pieces, StringStyle::Block, span))
    }

    fn margin(&self, body: Span) -> String {
        let text = &self.text[body.range()];
        let Some((_, last)) = text.rsplit_once('\n') else { return String::new() };
        if last.trim_matches([' ', '\t']).is_empty() {
            return last.to_owned();
        }
        let indent =
            |line: &str| line[..line.len() - line.trim_start_matches([' ', '\t']).len()].to_owned();
        text.lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .map(indent)
            .min_by_key(String::len)
            .unwrap_or_default()
    }

    /// Splits a stretch of text into lines without their margin, so that each piece still is a
    /// stretch of the file.
    fn block_lines(
        &mut self,
        span: Span,
        margin: &str,
        line_start: &mut bool,
        pieces: &mut Vec<Piece>,
    ) {
        let mut at = span.start as usize;
        let end = span.end as usize;
        // The rest of the line of the opening mark has no margin.
        let mut first = pieces.is_empty() && *line_start;
        while at < end {
            let line_end = self.text[at..end].find('\n').map_or(end, |n| at + n + 1);
            if *line_start && !first {
                at += self.without_margin(at, line_end, margin);
            }
            first = false;
            let line = &self.text[at..line_end];
            *line_start = line.ends_with('\n');
            if let Some(content) = line.strip_suffix("\r\n") {
                let (content, newline) = (content.len(), at + content.len());
                if content > 0 {
                    let span = self.span(at, newline);
                    pieces.push(Piece::Text(self.text_of(span), span));
                }
                pieces.push(Piece::Text("\n".into(), self.span(newline, line_end)));
            } else if at < line_end {
                let span = self.span(at, line_end);
                pieces.push(Piece::Text(self.text_of(span), span));
            }
            at = line_end;
        }
    }

    /// How many bytes of margin a line has. A line with less of it is a mistake unless it is blank.
    fn without_margin(&mut self, at: usize, line_end: usize, margin: &str) -> usize {
        let line = &self.text[at..line_end];
        if line.starts_with(margin) {
            return margin.len();
        }
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if !line.trim().is_empty() {
            let span = self.span(at, at + indent.max(1));
            let mixed = line[..indent].len() >= margin.len();
            self.problems.push(bad_indentation(span, mixed));
        }
        indent
    }
}

/// Takes the first and the last line end away.
fn trim_ends(pieces: &mut Vec<Piece>, opens_with_line_end: bool) {
    if opens_with_line_end
        && let Some(Piece::Text(text, _)) = pieces.first()
        && &**text == "\n"
    {
        pieces.remove(0);
    }
    if let Some(Piece::Text(text, span)) = pieces.last_mut()
        && let Some(shorter) = text.strip_suffix('\n')
    {
        if shorter.is_empty() {
            pieces.pop();
        } else {
            let same = text.len() == span.len();
            *text = shorter.into();
            span.end -= u32::from(same);
        }
    }
}

fn bad_escape(span: Span, written: &str) -> Diagnostic {
    let help = match written {
        "\\$" | "\\'" | "\\`" | "\\{" | "\\#" => {
            format!("write `{}`: it needs no backslash", &written[1..])
        }
        _ => "there are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\u{1F600}` and `\\#{`; `'…'` is taken as it stands".to_owned(),
    };
    Diagnostic::error(Code::BAD_ESCAPE, span, format!("`{written}` is no escape")).help(help)
}

fn bad_indentation(span: Span, mixed: bool) -> Diagnostic {
    let (message, label) = if mixed {
        (
            "this line is indented with other blanks than the closing `\"\"\"`",
            "tabs and blanks are mixed",
        )
    } else {
        ("this line is indented less than the closing `\"\"\"`", "its indentation can't be removed")
    };
    Diagnostic::error(Code::BAD_INDENTATION, span, message)
        .label(label)
        .help("indent every line at least as far as the closing `\"\"\"`")
}

fn raw_hole(span: Span, inner: Span, text: &str) -> Diagnostic {
    let fixed = format!("\"{text}\"");
    let _ = inner;
    Diagnostic::warning(Code::RAW_INTERPOLATION, span, "`#{…}` means nothing in `'…'`")
        .label("taken as it stands")
        .help(format!("for the value, write it with double quotes: `{fixed}`"))
}
