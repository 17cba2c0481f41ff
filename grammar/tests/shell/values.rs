//! Values that a shell would love to take apart.

use proptest::prelude::*;

/// The hand-picked ones.
pub fn hostile() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"abc",
        b"",
        b" a  b ",
        b"\ta\t",
        b"a\nb",
        b"a\n",
        b"a\n\n\n",
        b"\n",
        b"\n\na",
        b"a\rb\r",
        b"a\r\nb\r\n",
        b"it's",
        b"say \"hi\"",
        b"$(touch PWNED)",
        b"`touch PWNED`",
        b"a[$(touch PWNED)]",
        b"$HOME ${HOME} $1 $$",
        b"\\",
        b"\\\\",
        b"a\\\\b\\n\\",
        b"\\'\\\"",
        b"-n",
        b"--",
        b"* ? [a-z]*",
        b"~/x ~root",
        b"#c #{x}",
        b"; touch PWNED && y | z & >f <g",
        b"{a,b} }",
        b"!! !x",
        b") ( )) ((",
        "h\u{e9}\u{e9} \u{65e5}\u{672c} \u{1f600}".as_bytes(),
        b"\xff\xfe\x80",
        b"\xc3",
        b"EOF\nx",
        b"E",
        b"E\n",
        b"%s%n\\c",
        b"1+1",
        b"&",
        b"]",
        b"}\"",
        b"x'; touch PWNED; '",
        b"x\"; touch PWNED; \"",
    ];
    let mut values: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    values.push((2..=127).collect());
    values.push((128..=255).collect());
    values
}

/// 100,000 bytes of what must be escaped.
pub fn huge() -> Vec<u8> {
    b"x'\"$\\`\n ".iter().copied().cycle().take(100_000).collect()
}

/// Any value: the hand-picked ones, pieces of shell, random bytes. No NUL, which no command can
/// take, and no byte 1, which the tests put between arguments.
pub fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "'",
        "\"",
        "`",
        "$",
        "\\",
        "\n",
        " ",
        "\t",
        "$(",
        ")",
        "${",
        "}",
        "((",
        "))",
        "*",
        "?",
        "[",
        "]",
        "~",
        "-",
        "#",
        ";",
        "&",
        "|",
        "<",
        ">",
        "!",
        "=",
        "{",
        ",",
        "\r",
        "a",
        "E",
        "EOF",
        "touch PWNED",
        "$HOME",
        "\u{e9}",
        "\u{1f600}",
        "%s",
        "\\n",
        "0",
    ]);
    prop_oneof![
        2 => prop::sample::select(hostile()),
        4 => prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => prop::collection::vec(2u8..=255, 0..24),
    ]
}
