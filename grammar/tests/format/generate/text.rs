//! Strings, captures and commands.

use super::Generator;

impl Generator<'_> {
    pub(super) fn string(&mut self) {
        match self.pick(6) {
            3 => {
                self.push("'");
                self.one_of(&["", "raw \" \\ x", "é # $(x)", "it {"]);
                self.push("'");
            }
            4 | 5 => self.block_string(),
            _ => self.plain(),
        }
    }

    /// `"…"`
    pub(super) fn plain(&mut self) {
        self.push("\"");
        for _ in 0..self.pick(4) {
            match self.pick(4) {
                0 => self.one_of(&["a", " some words of a text ", "registry.example.com/shop:"]),
                1 => {
                    self.one_of(&["\\n", "\\\"", "\\\\", "\\u{1F600}", "\\#{", "# ", "'", "{", "}"])
                }
                2 => self.one_of(&["é", "  ", "\t", "$x", "//"]),
                _ => self.hole(false),
            }
        }
        self.push("\"");
    }

    fn hole(&mut self, wide: bool) {
        self.push("#{");
        let outer = self.one_line;
        self.one_line |= !wide;
        self.gap();
        self.may_break();
        self.nested(|this, deep| if deep { this.name() } else { this.expr() });
        self.may_break();
        self.gap();
        self.one_line = outer;
        self.push("}");
    }

    /// `"""…"""`, its mark closing on a line of its own or behind the last text.
    fn block_string(&mut self) {
        self.push("\"\"\"");
        if self.one_line || self.chance(4) {
            self.one_of(&["", "a", " say \"hi\" ", "\\", "\\#{x} "]);
            return self.push("\"\"\"");
        }
        let margin = ["", "  ", "    ", "\t", "\t\t"][self.pick(5)];
        let own_line = !self.chance(3);
        if self.chance(4) {
            self.push("first");
        }
        for _ in 0..=self.pick(4) {
            self.push(self.line_end);
            if self.chance(6) {
                // Blanks alone: what is beyond the margin belongs to the value.
                self.push(margin);
                self.one_of(&["", "  "]);
                continue;
            }
            if self.chance(6) {
                continue;
            }
            self.push(margin);
            self.one_of(&["a", "  deeper", "\"quoted\" \"\"", "\\ \\n \\#{", "# no comment", "é"]);
            if self.chance(3) {
                self.hole(own_line);
            }
            self.one_of(&["", " b", " ", "}"]);
        }
        if own_line {
            self.push(self.line_end);
            self.push(margin);
        } else {
            self.push(self.line_end);
            self.push(margin);
            self.push("last");
        }
        self.push("\"\"\"");
    }

    /// `$(…)`
    pub(super) fn capture(&mut self) {
        self.push("$(");
        for _ in 0..=self.pick(3) {
            match self.pick(4) {
                0 => self.one_of(&["git describe", "ls  a", "(cat; x)", "${x}"]),
                1 => self.one_of(&["'a )'", "\"a )\"", "\\)", "\\#{", "\"$(echo \")\")\""]),
                2 => self.hole(false),
                _ => self.one_of(&[" | ", " ", "\t"]),
            }
        }
        self.push(")");
    }

    /// `$ …` without the end of its line.
    pub(super) fn command(&mut self) {
        self.push("$");
        self.blank();
        if self.chance(9) {
            return;
        }
        for _ in 0..=self.pick(4) {
            match self.pick(5) {
                0 => self.one_of(&[
                    "make",
                    "docker build .",
                    "echo ${x} $1",
                    "cat <<< x",
                    "# no comment",
                ]),
                1 => self.one_of(&["\"a }\"", "'{ b'", "\\\\", "\\\"", "\\#{no}", "$(x)", "\\ "]),
                2 => self.hole(false),
                3 => {
                    self.push("\\");
                    self.push(self.line_end);
                    self.one_of(&["  ", "", "\t", "      "]);
                    self.push("--more");
                }
                _ => self.one_of(&[" ", "  ", "\t", " | "]),
            }
        }
        // A backslash at the end escapes the blank behind it.
        self.one_of(&["", "", "", " ", "\t", "\\ ", "\\\\", "\\\\ "]);
    }
}
