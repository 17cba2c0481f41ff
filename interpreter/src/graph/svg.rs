//! The graph as an SVG image, complete in itself, for light and dark pages.

use std::fmt::Write as _;

use super::{
    Graph, Node,
    layout::{Layout, Point, Rect, layout},
};

/// The height of a line of text.
const LINE: i32 = 18;
/// Between the text and the sides of its box.
const PADDING: (i32, i32) = (14, 9);
/// How far the second box of a stage that runs more than once stands out.
const BEHIND: i32 = 4;
/// A longer note is cut; the tooltip has all of it.
const LONGEST: usize = 48;

const STYLE: &str = "    text { font: 13px system-ui, \"Segoe UI\", \"DejaVu Sans\", sans-serif; fill: #1f2328; text-anchor: middle }
    .name { font-weight: 600 }
    .note { font-size: 11px; fill: #59636e }
    rect { fill: #ffffff; stroke: #59636e; stroke-width: 1.2 }
    .conditional { stroke-dasharray: 4 3 }
    .line { fill: none; stroke: #59636e; stroke-width: 1.4 }
    .waits { stroke-dasharray: 2 4 }
    .head { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .note { fill: #9198a1 }
      rect { fill: #151b23; stroke: #9198a1 }
      .line { stroke: #9198a1 }
      .head { fill: #9198a1 }
    }
";

/// The graph as SVG 1.1.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let sizes: Vec<(i32, i32)> = graph.nodes.iter().map(size).collect();
    let drawing = layout(graph, &sizes);
    let legend = legend(graph);
    let width = drawing.width.max(legend.as_ref().map_or(0, |text| measure(text, 11) + 32));
    let height = drawing.height + if legend.is_some() { LINE } else { 0 };
    let shift = (width - drawing.width) / 2;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
    );
    let _ = writeln!(out, "  <title>{}</title>", escaped(&graph.name));
    let _ = writeln!(out, "  <style>\n{STYLE}  </style>");
    out.push_str(
        "  <defs>\n    <marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0,0 L8,4 L0,8 z\"/></marker>\n  \
         </defs>\n",
    );
    let _ = writeln!(out, "  <g transform=\"translate({shift} 0)\">");
    lines(&mut out, graph, &drawing);
    for (node, rect) in graph.nodes.iter().zip(&drawing.boxes) {
        stage(&mut out, node, *rect);
    }
    out.push_str("  </g>\n");
    if let Some(text) = legend {
        let (x, y) = (width / 2, height - LINE / 2);
        let _ =
            writeln!(out, "  <text class=\"note\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&text));
    }
    out.push_str("</svg>\n");
    out
}

fn lines(out: &mut String, graph: &Graph, drawing: &Layout) {
    for (edge, line) in graph.edges.iter().zip(&drawing.lines) {
        let class = if edge.needs { "line" } else { "line waits" };
        let (from, to) = (&graph.nodes[edge.from].name, &graph.nodes[edge.to].name);
        let what = if edge.needs { "needs" } else { "waits for" };
        let _ = writeln!(
            out,
            "    <path class=\"{class}\" marker-end=\"url(#head)\" d=\"{}\"><title>{} {what} {}</title></path>",
            curve(line),
            escaped(to),
            escaped(from),
        );
    }
}

/// A line that leaves and enters every point straight down.
fn curve(line: &[Point]) -> String {
    let mut out = String::new();
    for (number, point) in line.iter().enumerate() {
        let Some(before) = number.checked_sub(1).map(|n| line[n]) else {
            let _ = write!(out, "M{},{}", point.x, point.y);
            continue;
        };
        let middle = (before.y + point.y) / 2;
        if (before.x - point.x).abs() <= 3 {
            let _ = write!(out, " L{},{}", point.x, point.y);
        } else {
            let _ =
                write!(out, " C{},{middle} {},{middle} {},{}", before.x, point.x, point.x, point.y);
        }
    }
    out
}

fn stage(out: &mut String, node: &Node, rect: Rect) {
    let class = if node.conditional { " class=\"conditional\"" } else { "" };
    let (x, y) = (rect.x - rect.width / 2, rect.y);
    // The box behind takes a part of the room that the stage has.
    let behind = if node.many { BEHIND } else { 0 };
    let (width, height) = (rect.width - behind, rect.height - behind);
    let _ = writeln!(out, "    <g>");
    let _ = writeln!(out, "      <title>{}</title>", escaped(&tooltip(node)));
    if node.many {
        let (x, y) = (x + behind, y + behind);
        let _ = writeln!(
            out,
            "      <rect{class} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>"
        );
    }
    let _ = writeln!(
        out,
        "      <rect{class} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>"
    );
    let middle = x + width / 2;
    for (number, (kind, text)) in text_of(node).iter().enumerate() {
        let y = y + PADDING.1 + LINE * i32::try_from(number).unwrap_or(0) + 13;
        let class = if kind.is_empty() { String::new() } else { format!(" class=\"{kind}\"") };
        let _ =
            writeln!(out, "      <text{class} x=\"{middle}\" y=\"{y}\">{}</text>", escaped(text));
    }
    let _ = writeln!(out, "    </g>");
}

fn tooltip(node: &Node) -> String {
    let docs = (!node.docs.is_empty()).then(|| node.docs.clone());
    let all = std::iter::once(node.name.clone()).chain(node.title.clone()).chain(docs);
    all.chain(node.notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

/// The lines in a stage's box, with their classes.
fn text_of(node: &Node) -> Vec<(&'static str, String)> {
    let mut lines = vec![("name", cut(&node.name))];
    lines.extend(node.title.iter().map(|title| ("", cut(title))));
    lines.extend(node.notes.iter().map(|note| ("note", cut(note))));
    lines
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    format!("{}…", cut.trim_end())
}

fn size(node: &Node) -> (i32, i32) {
    let lines = text_of(node);
    let widest = lines
        .iter()
        .map(|(kind, text)| match *kind {
            "note" => measure(text, 11),
            // Bold letters are wider.
            "name" => measure(text, 13) * 11 / 10,
            _ => measure(text, 13),
        })
        .max()
        .unwrap_or(0);
    let behind = if node.many { BEHIND } else { 0 };
    let height = LINE * i32::try_from(lines.len()).unwrap_or(1) + 2 * PADDING.1;
    ((widest + 2 * PADDING.0).max(80) + behind, height + behind)
}

/// The width of a text, in pixels: of the widest of the fonts that may show it.
fn measure(text: &str, size: i32) -> i32 {
    let thousandths: i32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '['
            | ']' => 350,
            'f' | 't' | 'r' | '-' | '"' | '/' | '{' | '}' => 440,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 970,
            '=' | '#' | '<' | '>' | '+' | '&' => 800,
            c if c.is_ascii_uppercase() => 720,
            c if c.is_ascii() => 620,
            c if (c as u32) < 0x1100 => 700,
            _ => 1040,
        })
        .sum();
    thousandths * size / 1000
}

/// What dots and dashes mean, where there are any.
fn legend(graph: &Graph) -> Option<String> {
    let waits = graph.edges.iter().any(|edge| !edge.needs);
    let needs = graph.edges.iter().any(|edge| edge.needs);
    let mut parts = Vec::new();
    if waits && needs {
        parts.push("solid line: needs, dotted: waits for");
    }
    if graph.nodes.iter().any(|node| node.conditional) {
        parts.push("dashed box: may be skipped");
    }
    if graph.nodes.iter().any(|node| node.many) {
        parts.push("double box: once for each");
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 knows no other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_escaped() {
        assert_eq!(escaped("a < b & \"c\"\u{1b}"), "a &lt; b &amp; &quot;c&quot; ");
        assert_eq!(cut(&"x".repeat(80)).chars().count(), LONGEST);
        assert!(measure("wide", 13) > measure("thin", 13));
    }
}
