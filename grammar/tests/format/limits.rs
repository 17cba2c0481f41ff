//! Deep and long files: no overflow, and no time that grows faster than the text.

use std::time::{Duration, Instant};

use pipe_grammar::{SourceId, format};

use crate::meaning::formatted;

fn quickly(name: &str, text: &str) {
    let start = Instant::now();
    formatted(name, text);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{name}: {took:?}");
}

#[test]
fn what_nests_as_deep_as_it_may() {
    let long = "a_name_that_is_quite_long_so_that_little_fits";
    let nest = |open: &str, inner: &str, close: &str, n: usize| {
        format!("let a = {}{inner}{}\n", open.repeat(n), close.repeat(n))
    };
    quickly("lists", &nest("[", long, "]", 120));
    quickly("pairs", &nest(&format!("[{long}, "), long, "]", 120));
    quickly("broken lists", &nest("[\n", long, "\n]", 120));
    quickly("commented lists", &nest("[ # c\n", long, "\n]", 120));
    quickly("calls", &nest(&format!("f({long}, b: "), long, ")", 120));
    quickly("chains", &nest("f(a).g(", long, ").h()", 120));
    quickly("groups", &nest(&format!("({long} + "), long, ")", 120));
    quickly("ladders", &nest(&format!("if {long} then {long} else "), long, "", 120));
    quickly("choices", &nest("(if a then b else ", long, ")", 120));
    quickly("prefixes", &nest("not ", long, "", 390));
    quickly("sums", &nest(&format!("{long} + "), long, "", 390));
    quickly("products", &nest(&format!("{long} * {long} + "), long, "", 190));
    quickly("members", &format!("let a = {long}{}\n", ".b()".repeat(190)));
    quickly("holes", &nest("\"#{", long, "}\"", 60));
    quickly("texts", &nest("\"\"\"\n#{\n# c\n", long, "\n}\n\"\"\"", 60));
    let blocks = |open: &str, n: usize| {
        format!("stage a {{\n{}a()\n{}}}\n", open.repeat(n), "}\n".repeat(n))
    };
    quickly("blocks", &blocks("if a {\n", 120));
    quickly(
        "blocks in lines",
        &format!("stage a {{ {}a(){} }}\n", "if a { ".repeat(120), " }".repeat(120)),
    );
    quickly("steps", &blocks("step \"a\" {\n", 120));
}

#[test]
fn time_grows_with_the_text() {
    let part = include_str!("everything.pipe").replace("edition 2026", "");
    let time = |copies: usize| {
        let text = part.repeat(copies);
        (0..3)
            .map(|_| {
                let start = Instant::now();
                format(SourceId::default(), &text).unwrap();
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    let (small, large) = (time(40), time(320));
    assert!(large < small * 8 * 3, "{small:?} for 40 parts, {large:?} for 320");
}
