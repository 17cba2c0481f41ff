//! Writes random valid Pipelinefiles in a random layout: every construct of the grammar, blanks,
//! line ends and comments wherever it allows them.
//!
//! What is written is decided by bytes. Zero, and the end of the bytes, choose the simplest, so
//! fewer and smaller bytes make a smaller file.

mod expression;
mod item;
mod statement;
mod text;

/// Things nest at most this deep.
const DEPTH: usize = 5;

pub struct Generator<'a> {
    bytes: std::slice::Iter<'a, u8>,
    out: String,
    depth: usize,
    /// Comments so far: each has its number in it.
    comments: usize,
    /// Inside a text or a command, where a line end would end it.
    one_line: bool,
    line_end: &'static str,
}

/// A Pipelinefile made of these decisions.
pub fn file(bytes: &[u8]) -> String {
    let mut generator = Generator {
        bytes: bytes.iter(),
        out: String::new(),
        depth: 0,
        comments: 0,
        one_line: false,
        line_end: "\n",
    };
    generator.file();
    generator.out
}

impl Generator<'_> {
    /// A number below `n`.
    fn pick(&mut self, n: usize) -> usize {
        self.bytes.next().map_or(0, |byte| usize::from(*byte) % n)
    }

    /// True in one of `n` cases.
    fn chance(&mut self, n: usize) -> bool {
        self.pick(n) == n - 1
    }

    fn one_of(&mut self, choices: &[&str]) {
        let choice = choices[self.pick(choices.len())];
        self.push(choice);
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Runs one of several ways to go on; from a certain depth on, always the first.
    fn nested(&mut self, write: impl FnOnce(&mut Self, bool)) {
        self.depth += 1;
        let deep = self.depth > DEPTH;
        write(self, deep);
        self.depth -= 1;
    }

    // ── blanks ───────────────────────────────────────────────────────────────

    /// Blanks that have to be there.
    fn blank(&mut self) {
        self.one_of(&[" ", " ", " ", "  ", "\t", " \t "]);
    }

    /// Blanks that may be there.
    fn gap(&mut self) {
        self.one_of(&["", "", " ", "  ", "\t"]);
    }

    /// Ends the line, perhaps with a comment, perhaps with more lines below.
    fn newline(&mut self) {
        self.gap();
        if self.chance(5) {
            self.comment();
        }
        self.push(self.line_end);
        while self.chance(4) {
            self.gap();
            if self.chance(2) {
                self.comment();
            }
            self.push(self.line_end);
        }
    }

    fn comment(&mut self) {
        self.comments += 1;
        let number = self.comments;
        let marks = ["# ", "#", "## ", "#! ", "# \"", "# $ ", "# } ", "# é "];
        let mark = marks[self.pick(marks.len())];
        self.push(&format!("{mark}{number}"));
        self.gap();
    }

    /// Where the grammar lets a line end: mostly none.
    fn may_break(&mut self) {
        if !self.one_line && self.chance(5) {
            self.newline();
            self.push(" ");
        }
        self.gap();
    }

    /// As [`Self::may_break`], between words.
    fn word_break(&mut self) {
        self.blank();
        self.may_break();
    }

    /// Items with commas or line ends between them, between brackets.
    fn items(&mut self, brackets: [&str; 2], n: usize, mut write: impl FnMut(&mut Self)) {
        self.push(brackets[0]);
        self.may_break();
        for place in 0..n {
            if place > 0 {
                self.separator();
            }
            write(self);
        }
        if n > 0 && self.chance(4) {
            self.gap();
            self.push(",");
        }
        self.may_break();
        self.push(brackets[1]);
    }

    fn separator(&mut self) {
        if !self.one_line && self.chance(3) {
            self.newline();
            self.push(" ");
        } else {
            self.gap();
            self.push(",");
            self.may_break();
        }
    }

    fn name(&mut self) {
        self.one_of(&[
            "a",
            "bc",
            "image",
            "x1",
            "_y",
            "needs",
            "step_",
            "a_name_that_is_quite_long",
        ]);
    }
}
