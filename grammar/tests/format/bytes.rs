//! What a file on a disk can't show well: line ends, marks, blanks at the end of lines.

use pipe_grammar::{SourceId, format};

use crate::meaning::formatted;

fn check(text: &str, expected: &str) {
    let expected = expected.replace("EDITION", "edition 2026\n");
    assert_eq!(formatted("a text", text), expected, "{text:?}");
}

#[test]
fn line_ends_marks_and_tabs() {
    check(
        "\u{feff}let a = 1\r\n\r\n\r\n# c \r\nstage b {\r\n\tx()\r\n\t\ty() # d\t\r\n}",
        "EDITION\nlet a = 1\n\n# c\nstage b {\n  x()\n  y() # d\n}\n",
    );
    check("\u{feff}# c\r\nedition 2026", "# c\nedition 2026\n");
    check("", "EDITION");
    check("\n\n  \n", "EDITION");
    check("let  a\t=\t[ 1 ,2 ]   ", "EDITION\nlet a = [1, 2]\n");
}

#[test]
fn the_edition_stands_below_the_comments_about_the_file() {
    check("# file\n\nlet a = 1\n", "# file\nEDITION\nlet a = 1\n");
    check("# doc\nlet a = 1\n", "EDITION\n# doc\nlet a = 1\n");
    check("# file\n\n# doc\n# more\nlet a = 1\n", "# file\nEDITION\n# doc\n# more\nlet a = 1\n");
    check("# licence\n\n\n# file\n\nlet a = 1\n", "# licence\n\n# file\nEDITION\nlet a = 1\n");
    check(
        "#!/usr/bin/env pipe\n\n# doc\nlet a = 1",
        "#!/usr/bin/env pipe\nEDITION\n# doc\nlet a = 1\n",
    );
    check("# only\n# this\n", "# only\n# this\nEDITION");
    check("# file\nedition   2026\nlet a = 1", "# file\nEDITION\nlet a = 1\n");
}

#[test]
fn a_shebang_stays_first() {
    let out = format(SourceId::default(), "#!/usr/bin/env pipe\nlet a = 1").unwrap();
    assert_eq!(out, "#!/usr/bin/env pipe\nedition 2026\n\nlet a = 1\n");
}

#[test]
fn commands_keep_their_bytes() {
    check("always $  a  \t b  \t\n", "EDITION\nalways $ a  \t b\n");
    check("always $\ta \\\r\n\t b\r\n", "EDITION\nalways $ a \\\n\t b\n");
    // The blank is escaped: without it, the backslash would take the line end.
    check("stage a {\n  $ ls a\\ \n  b()\n}\n", "EDITION\nstage a {\n  $ ls a\\ \n  b()\n}\n");
    check("stage a {\n  $ ls \\\n\n}\n", "EDITION\nstage a {\n  $ ls \\\n\n}\n");
    check("stage a {\n  $ ls \\\\  \n  b()\n}\n", "EDITION\nstage a {\n  $ ls \\\\\n  b()\n}\n");
    check("always $ ls \\", "EDITION\nalways $ ls \\\n");
    check("stage a {\n  $ \n  $\n}\n", "EDITION\nstage a {\n  $\n  $\n}\n");
}

#[test]
fn texts_keep_their_value() {
    check(
        "let a = \"\"\"\r\n    x\r\n\r\n      y\r\n    \"\"\"",
        "EDITION\nlet a = \"\"\"\n  x\n\n    y\n  \"\"\"\n",
    );
    check("let a = \"\"\"x\n    y\"\"\"", "EDITION\nlet a = \"\"\"\n  x\n  y\n  \"\"\"\n");
    check("let a = \"\"\" x \"\"\"", "EDITION\nlet a = \"\"\" x \"\"\"\n");
    check(
        "let a = \"\"\"\n\t\tx\n\t\t  \n\t\t\ty\n\t\t\"\"\"",
        "EDITION\nlet a = \"\"\"\n  x\n    \n  \ty\n  \"\"\"\n",
    );
    check("let a = \"\"\"\n  x\n\n\n  \"\"\"", "EDITION\nlet a = \"\"\"\n  x\n\n\n  \"\"\"\n");
    check(
        "let a = \"\"\"\n#{\n  b\n}#{ c }\\#{\n\"\"\"",
        "EDITION\nlet a = \"\"\"\n  #{b}#{ c }\\#{\n  \"\"\"\n",
    );
    // A carriage return that is no part of a line end.
    check(
        "let a = \"\"\"\n  x\r\r\n  y\n  \"\"\"",
        "EDITION\nlet a = \"\"\"\n  x\r\r\n  y\n  \"\"\"\n",
    );
}

#[test]
fn what_does_not_parse_is_refused() {
    for text in [
        "let a = ",
        "stage a {\n",
        "let a = “x”\n",
        "edition 2999\n",
        "<<<<<<< a\n=======\n>>>>>>> b\n",
    ] {
        let problems = format(SourceId::default(), text).unwrap_err();
        assert!(!problems.is_empty(), "{text:?}");
    }
}
