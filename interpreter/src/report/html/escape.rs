//! Text of strangers inside a page.

/// Text as HTML, in elements and in attributes: nothing in it is markup. Without the colours of a
/// terminal and without control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in anstream::adapter::strip_str(text).flat_map(str::chars) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// JSON inside a script element: nothing in it ends the element or opens a comment.
pub(super) fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        let text = "</pre><script>alert(1)</script>\u{1b}[31m'\"&\u{1b}[0m\0";
        let held = "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;&quot;&amp;";
        assert_eq!(escaped(text), held);
        let json = json(&serde_json::json!({ "a": "</script><!--<script>" }));
        assert_eq!(json, r#"{"a":"\u003c/script>\u003c!--\u003cscript>"}"#);
    }
}
