//! Blocks and statements.

use super::Generator;

impl Generator<'_> {
    pub(super) fn block(&mut self) {
        self.nested(|this, deep| {
            if deep {
                return this.push("{}");
            }
            this.push("{");
            if this.chance(3) {
                this.gap();
                this.plain_statement();
                this.gap();
            } else {
                if this.chance(3) {
                    this.gap();
                    this.plain_statement();
                }
                // A command never stands on the line of the brace.
                this.newline();
                for _ in 0..this.pick(5) {
                    this.statement();
                    this.newline();
                    this.gap();
                }
            }
            this.push("}");
        });
    }

    /// A statement that its line does not belong to.
    fn plain_statement(&mut self) {
        match self.pick(6) {
            0 | 1 => self.call(),
            2 => self.binding("let"),
            3 => {
                self.push("fail ");
                self.plain();
            }
            4 => {
                self.modifiers();
                self.call();
            }
            _ => {
                self.push("return ");
                self.expr();
            }
        }
    }

    fn statement(&mut self) {
        match self.pick(16) {
            0 | 1 => self.command(),
            2 => self.binding("output"),
            3 => self.secret(),
            4 => {
                self.push("step ");
                self.plain();
                self.push(" ");
                self.block();
            }
            5 | 6 => self.conditional(),
            7 => {
                self.one_of(&["", "parallel "]);
                self.push("for ");
                self.name();
                self.push(" in ");
                self.head();
                self.push(" ");
                self.block();
            }
            8 => {
                self.push("parallel ");
                self.block();
            }
            9 => self.one_of(&["return", "skip \"nothing to do\"", "fail \"x\" + y"]),
            10 => self.env(),
            11 | 12 => {
                self.modifiers();
                match self.pick(4) {
                    0 => self.command(),
                    1 => self.block(),
                    2 => self.call(),
                    _ => {
                        self.push("step ");
                        self.plain();
                        self.push(" ");
                        self.block();
                    }
                }
            }
            13 => self.handler(),
            _ => self.plain_statement(),
        }
    }

    fn conditional(&mut self) {
        self.push("if ");
        self.head();
        self.push(" ");
        self.block();
        for _ in 0..self.pick(3) {
            self.may_break();
            self.push("else if ");
            self.head();
            self.push(" ");
            self.block();
        }
        if self.chance(2) {
            self.may_break();
            self.push("else");
            self.gap();
            self.block();
        }
    }

    fn modifiers(&mut self) {
        for _ in 0..=self.pick(2) {
            match self.pick(6) {
                0 => self.retry(),
                1 => self.word("timeout"),
                2 => self.env(),
                3 => self.word("cd"),
                4 => self.may_fail(),
                _ => {
                    self.word("hold");
                    self.blank();
                    self.word("every");
                }
            }
            self.blank();
        }
    }

    pub(super) fn handler(&mut self) {
        self.one_of(&["on success", "on  failure", "on cancelled", "always"]);
        self.blank();
        match self.pick(5) {
            0 | 1 => self.block(),
            2 => self.command(),
            3 => self.call(),
            _ => {
                self.modifiers();
                self.block();
            }
        }
    }
}
