//! Declarations and clauses.

use super::Generator;

impl Generator<'_> {
    pub(super) fn file(&mut self) {
        if self.chance(8) {
            self.push("\u{feff}");
        }
        if self.chance(4) {
            self.line_end = "\r\n";
        }
        while self.chance(3) {
            self.newline();
        }
        if self.chance(2) {
            self.push("edition 2026");
            self.newline();
        }
        for _ in 0..=self.pick(6) {
            self.item();
            self.newline();
        }
        if self.chance(6) {
            self.comment();
        }
    }

    fn item(&mut self) {
        match self.pick(12) {
            0 | 1 => self.stage(),
            2 | 3 => self.binding("let"),
            4 => self.function(),
            5 => {
                self.push("type Name = ");
                self.may_break();
                self.type_expr();
            }
            6 => self.param(),
            7 => {
                self.push("connect ");
                self.call();
                if self.chance(2) {
                    self.push(" as ");
                    self.name();
                }
            }
            8 => {
                self.push("require ");
                self.expr();
                self.gap();
                self.push(",");
                self.may_break();
                self.expr();
            }
            9 => self.handler(),
            10 => {
                self.push("import ");
                self.plain();
                if self.chance(2) {
                    self.push(" as ");
                    self.name();
                }
            }
            _ => self.pipeline(),
        }
    }

    /// `let` and `output`.
    pub(super) fn binding(&mut self, word: &str) {
        self.push(word);
        self.blank();
        self.name();
        if self.chance(3) {
            self.push(":");
            self.gap();
            self.type_expr();
        }
        self.gap();
        self.push("=");
        self.may_break();
        self.expr();
    }

    pub(super) fn secret(&mut self) {
        self.push("secret ");
        self.name();
        self.push(" =");
        self.may_break();
        self.expr();
    }

    fn param(&mut self) {
        self.push("param ");
        self.name();
        self.push(": ");
        self.type_expr();
        match self.pick(4) {
            2 => {
                self.push(" in ");
                self.expr();
            }
            3 => {
                self.push(" matches ");
                self.expr();
            }
            _ => {}
        }
        if self.chance(2) {
            self.push(" =");
            self.may_break();
            self.expr();
        }
    }

    fn function(&mut self) {
        self.push("fn ");
        self.name();
        let n = self.pick(4);
        self.items(["(", ")"], n, |this| {
            this.name();
            this.gap();
            this.push(":");
            this.gap();
            this.type_expr();
            if this.chance(3) {
                this.push(" = ");
                this.may_break();
                this.expr();
            }
        });
        if self.chance(2) {
            self.push(" -> ");
            self.type_expr();
        }
        self.word_break();
        self.block();
    }

    fn pipeline(&mut self) {
        self.push("pipeline ");
        self.plain();
        if self.chance(3) {
            return;
        }
        self.push(" {");
        self.may_break();
        self.clauses(true);
        self.push("}");
    }

    fn stage(&mut self) {
        self.push("stage ");
        self.name();
        if self.chance(3) {
            self.blank();
            self.plain();
        }
        self.word_break();
        self.clauses(false);
        self.block();
    }

    /// Some of the clauses in a random order, each with what separates it from the next.
    fn clauses(&mut self, of_pipeline: bool) {
        let mut left: Vec<usize> = if of_pipeline { vec![5, 6, 10, 4] } else { (0..14).collect() };
        for _ in 0..self.pick(4) {
            let clause = left.remove(self.pick(left.len()));
            self.clause(clause);
            self.word_break();
        }
    }

    fn clause(&mut self, clause: usize) {
        match clause {
            0 => {
                for place in 0..=self.pick(3) {
                    if place > 0 {
                        self.word_break();
                    }
                    self.push("for ");
                    self.name();
                    self.push(" in ");
                    self.head();
                }
                if self.chance(2) {
                    self.word_break();
                    self.push("if ");
                    self.head();
                }
            }
            1 | 2 => {
                self.push(if clause == 1 { "needs " } else { "after " });
                self.name();
                for _ in 0..self.pick(3) {
                    self.gap();
                    self.push(",");
                    self.may_break();
                    self.name();
                }
            }
            3 => self.word("when"),
            4 => self.word("using"),
            5 => self.word("timeout"),
            6 => self.retry(),
            7 => {
                self.push("approve ");
                self.head();
                if self.chance(2) {
                    self.word_break();
                    self.push("if ");
                    self.head();
                }
                if self.chance(2) {
                    self.word_break();
                    self.push("within ");
                    self.head();
                }
            }
            8 => self.word("lock"),
            9 => self.may_fail(),
            10 => self.env(),
            11 => self.one_of(&["keep_going", "workspace own", "workspace clean", "after nothing"]),
            12 => self.word("at_once"),
            _ => self.word("cd"),
        }
    }

    pub(super) fn word(&mut self, word: &str) {
        self.push(word);
        self.blank();
        self.head();
    }

    pub(super) fn env(&mut self) {
        self.push("env");
        self.gap();
        self.record();
    }

    pub(super) fn may_fail(&mut self) {
        self.push("may_fail");
        if self.chance(2) {
            self.push(" if ");
            self.head();
        }
    }

    pub(super) fn retry(&mut self) {
        self.push("retry ");
        if self.chance(2) {
            self.push("within ");
        }
        self.head();
        if self.chance(2) {
            self.push(" every ");
            self.head();
        }
    }
}
