//! The graph for Mermaid, which GitHub and GitLab draw inside Markdown.

use std::fmt::Write as _;

use super::Graph;

/// The graph as a flowchart. <https://mermaid.js.org/syntax/flowchart.html>
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut out = "flowchart TD\n".to_owned();
    for (number, node) in graph.nodes.iter().enumerate() {
        let mut lines = vec![format!("<b>{}</b>", escaped(&node.name))];
        lines.extend(node.title.as_deref().map(escaped));
        lines.extend(node.notes.iter().map(|note| format!("<i>{}</i>", escaped(note))));
        let label = lines.join("<br>");
        // A stage that runs more than once has the shape for many of a kind.
        let (open, close) = if node.many { ("[[", "]]") } else { ("[", "]") };
        let _ = writeln!(out, "  s{number}{open}\"{label}\"{close}");
    }
    for edge in &graph.edges {
        let arrow = if edge.needs { "-->" } else { "-.->" };
        let _ = writeln!(out, "  s{} {arrow} s{}", edge.from, edge.to);
    }
    let conditional = graph.nodes.iter().enumerate().filter(|(_, node)| node.conditional);
    let conditional: Vec<String> = conditional.map(|(number, _)| format!("s{number}")).collect();
    if !conditional.is_empty() {
        let _ = writeln!(out, "  classDef conditional stroke-dasharray: 4 3");
        let _ = writeln!(out, "  class {} conditional", conditional.join(","));
    }
    out
}

/// In a label a character that means something to Mermaid or HTML is an entity, begun by `#`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' | ';' | '{' | '}' => {
                let _ = write!(out, "#{};", c as u32);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
