//! The graph for Graphviz.

use std::fmt::Write as _;

use super::Graph;

/// The graph in the DOT language. <https://graphviz.org/doc/info/lang.html>
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n", quoted(&graph.name));
    out.push_str("  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=12]\n");
    for node in &graph.nodes {
        let mut lines = vec![node.name.clone()];
        lines.extend(node.title.clone());
        lines.extend(node.notes.iter().cloned());
        let mut attributes = vec![format!("label={}", quoted(&lines.join("\n")))];
        if node.conditional {
            attributes.push("style=\"rounded,dashed\"".to_owned());
        }
        if node.many {
            attributes.push("peripheries=2".to_owned());
        }
        if !node.docs.is_empty() {
            attributes.push(format!("tooltip={}", quoted(&node.docs)));
        }
        let _ = writeln!(out, "  {} [{}]", quoted(&node.name), attributes.join(", "));
    }
    for edge in &graph.edges {
        let (from, to) = (&graph.nodes[edge.from].name, &graph.nodes[edge.to].name);
        let style = if edge.needs { "" } else { " [style=dashed]" };
        let _ = writeln!(out, "  {} -> {}{style}", quoted(from), quoted(to));
    }
    out.push_str("}\n");
    out
}

/// A quoted string: only the quote and the backslash need an escape, a line end is `\n`.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
