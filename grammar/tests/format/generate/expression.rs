//! Expressions and types.

use super::Generator;

const OPERATORS: [&str; 16] = [
    "+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "??", "or", "and", "in", "matches", "..",
];
/// Those that a line may begin with.
const LEAD: [&str; 12] = ["+", "*", "/", "==", "!=", "<", "<=", ">", ">=", "??", "or", "and"];

impl Generator<'_> {
    pub(super) fn expr(&mut self) {
        self.nested(|this, deep| {
            if deep {
                return this.name();
            }
            if this.chance(9) {
                return this.choice();
            }
            this.term();
            for _ in 0..[0, 0, 0, 1, 1, 2, 4][this.pick(7)] {
                this.operator();
                this.term();
            }
        });
    }

    /// An expression that a block may follow: it begins with no record.
    pub(super) fn head(&mut self) {
        self.nested(|this, deep| {
            if deep || this.chance(2) {
                return this.call();
            }
            if this.chance(6) {
                return this.choice();
            }
            this.name();
            for _ in 0..this.pick(3) {
                this.operator();
                this.term();
            }
        });
    }

    fn operator(&mut self) {
        let operator = OPERATORS[self.pick(OPERATORS.len())];
        if LEAD.contains(&operator) {
            self.word_break();
        } else {
            self.blank();
        }
        self.push(operator);
        self.word_break();
        if operator == "??" && self.chance(4) {
            // The only place of such a value; what follows is another operand.
            self.push("fail");
            self.blank();
            self.plain();
            self.push(" or ");
        }
    }

    fn choice(&mut self) {
        self.push("if ");
        self.gap();
        self.expr();
        self.word_break();
        self.push("then");
        self.word_break();
        self.expr();
        self.word_break();
        self.push("else");
        self.word_break();
        self.expr();
    }

    fn term(&mut self) {
        match self.pick(12) {
            10 => self.push("not "),
            11 => self.push("-"),
            _ => {}
        }
        self.value();
    }

    fn value(&mut self) {
        match self.pick(12) {
            0 | 1 => self.name(),
            2 => self.one_of(&["1", "42", "1_000", "0.5", "5m", "1h30m", "2GiB", "1.5GiB"]),
            3 | 4 => self.string(),
            5 => self.list(),
            6 => self.record(),
            7 => {
                self.push("(");
                self.may_break();
                self.expr();
                self.may_break();
                self.push(")");
            }
            8 => self.capture(),
            9 => self.one_of(&["true", "false", "null"]),
            _ => return self.call(),
        }
        self.links(3);
    }

    /// A call at least: what may stand as a statement.
    pub(super) fn call(&mut self) {
        self.one_of(&["log", "docker.push", "f", "marathon.deploy"]);
        self.arguments();
        self.links(4);
    }

    fn links(&mut self, chance: usize) {
        while self.chance(chance) {
            match self.pick(4) {
                0 => {
                    self.push(".");
                    self.name();
                }
                1 => self.arguments(),
                2 => {
                    self.push("[");
                    self.may_break();
                    self.expr();
                    self.may_break();
                    self.push("]");
                }
                _ if self.one_line => {}
                _ => {
                    self.push(self.line_end);
                    if self.chance(3) {
                        self.comment();
                        self.push(self.line_end);
                    }
                    self.push("  .");
                    self.name();
                }
            }
        }
    }

    fn arguments(&mut self) {
        let n = self.pick(5);
        let mut first = true;
        self.items(["(", ")"], n, |this| {
            if !std::mem::take(&mut first) || this.chance(3) {
                this.one_of(&["tag", "with", "in", "a_name_that_is_quite_long"]);
                this.gap();
                this.push(":");
                this.gap();
            }
            this.expr();
        });
    }

    fn list(&mut self) {
        if self.chance(3) {
            return self.comprehension();
        }
        let n = self.pick(5);
        self.items(["[", "]"], n, |this| match this.pick(6) {
            4 => {
                this.push("...");
                this.expr();
            }
            5 => {
                this.expr();
                this.push(" if ");
                this.expr();
            }
            _ => this.expr(),
        });
    }

    fn comprehension(&mut self) {
        self.push("[");
        self.may_break();
        self.expr();
        self.word_break();
        for place in 0..=self.pick(2) {
            if place > 0 {
                self.word_break();
            }
            self.push("for ");
            self.name();
            self.push(" in ");
            self.expr();
        }
        if self.chance(2) {
            self.word_break();
            self.push("if ");
            self.expr();
        }
        self.may_break();
        self.push("]");
    }

    pub(super) fn record(&mut self) {
        let n = self.pick(4);
        self.items(["{", "}"], n, |this| match this.pick(6) {
            4 => this.name(),
            5 => {
                this.push("...");
                this.expr();
            }
            _ => {
                this.key();
                while this.chance(3) {
                    this.push(".");
                    this.key();
                }
                this.gap();
                this.push(":");
                this.gap();
                this.expr();
            }
        });
    }

    fn key(&mut self) {
        self.one_of(&["a", "HTTP_PORT", "if", "\"odd.key\"", "'raw key'", "in"]);
    }

    // ── types ────────────────────────────────────────────────────────────────

    pub(super) fn type_expr(&mut self) {
        self.nested(|this, deep| {
            if deep {
                return this.push("int");
            }
            let members = [1, 1, 1, 2, 3][this.pick(5)];
            if this.chance(6) {
                this.push("|");
                this.may_break();
            }
            for place in 0..members {
                if place > 0 {
                    this.may_break();
                    this.push("|");
                    this.may_break();
                }
                this.type_term();
            }
        });
    }

    fn type_term(&mut self) {
        match self.pick(8) {
            0 | 1 => self.one_of(&["string", "int", "lib.Service", "a_type_that_has_a_long_name"]),
            2 => {
                self.one_of(&["list<", "map<"]);
                self.may_break();
                self.type_expr();
                self.may_break();
                self.push(">");
            }
            3 | 4 => {
                let n = self.pick(4);
                self.items(["{", "}"], n, |this| {
                    this.one_of(&["a", "port", "\"odd-key\"", "in"]);
                    this.one_of(&["", "?", " ?"]);
                    this.push(":");
                    this.gap();
                    this.type_expr();
                    if this.chance(3) {
                        this.push(" = ");
                        this.expr();
                    }
                });
            }
            5 => self.one_of(&["\"a\"", "'raw'", "7", "\"a literal with some words in it\""]),
            6 => {
                self.push("(");
                self.may_break();
                self.type_expr();
                self.may_break();
                self.push(")");
            }
            _ => {
                self.push("map<int,");
                self.may_break();
                self.type_expr();
                self.push(">");
            }
        }
        if self.chance(5) {
            self.push("?");
        }
    }
}
