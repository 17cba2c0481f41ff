//! Statements.

use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{
        Block, ExprId, ExprKind, Handler, Let, Modifier, ModifierKind, Outcome, Statement,
        StatementKind, UnaryOp,
    },
};
use pipe_stdlib::core::Type;

use super::{Checker, Target, literal};

impl Checker<'_> {
    /// Checks a block in a scope of its own. True when it always leaves what is around it: by
    /// `return`, `fail` or `skip`.
    pub(super) fn block(&mut self, block: &Block) -> bool {
        self.scoped(|this| this.statements(&block.statements))
    }

    fn statements(&mut self, statements: &[Statement]) -> bool {
        let before = self.narrowed.len();
        let mut leaves: Option<Span> = None;
        let mut steps = false;
        let mut told = false;
        let mut handlers: Option<Span> = None;
        for statement in statements {
            let handler = matches!(statement.kind, StatementKind::Handler(_));
            match &statement.kind {
                StatementKind::Handler(own) => {
                    handlers.get_or_insert(own.head);
                }
                StatementKind::Broken => {}
                _ => {
                    if let Some(first) = handlers.take() {
                        self.report(behind_handler(statement.span, first));
                    }
                }
            }
            if let Some(end) = leaves
                && !handler
                && !told
            {
                told = true;
                self.report(
                    Diagnostic::warning(Code::UNREACHABLE, statement.span, "this is never reached")
                        .label("nothing leads here")
                        .also(end, "this ends the block")
                        .help("remove it, or say with `if` when the block is left"),
                );
            }
            if self.statement(statement, !steps) && leaves.is_none() {
                leaves = Some(statement.span);
            }
            steps |= self.acts(statement);
        }
        self.narrowed.truncate(before);
        leaves.is_some()
    }

    /// Whether a statement does more than give names to facts.
    fn acts(&self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Let(binding) => self.has_step(binding.value),
            StatementKind::Env(_) | StatementKind::Handler(_) => false,
            _ => true,
        }
    }

    /// Whether an expression calls a step: then it may fail for want of something outside.
    fn has_step(&self, id: ExprId) -> bool {
        let span = self.span(id);
        // The parts of an expression stand before it in the list, and nothing stands between.
        let parts = (0..=id.0).rev().map(ExprId);
        parts.take_while(|part| span.contains(self.span(*part))).any(|part| {
            match &self.file.expr(part).kind {
                ExprKind::Capture(_) => true,
                ExprKind::Call { .. } => match self.checked.targets.get(&part) {
                    Some(Target::Builtin { builtin, .. }) => {
                        builtin.kind() == pipe_stdlib::core::Kind::Step
                    }
                    Some(Target::Function(_)) => true,
                    _ => false,
                },
                _ => false,
            }
        })
    }

    /// Checks a statement; true when it always leaves the block.
    fn statement(&mut self, statement: &Statement, early: bool) -> bool {
        // Outputs are bound directly in a stage only.
        let outputs = std::mem::replace(&mut self.place.outputs, false);
        let leaves = match &statement.kind {
            StatementKind::Let(binding) => {
                let ty = self.binding(binding);
                let early = early && !self.has_step(binding.value);
                // What is held does its work without being read.
                let warn = !matches!(ty, Type::Held(_));
                self.bind_early(&binding.name, ty, warn, early);
                false
            }
            StatementKind::Output(binding) => {
                self.output_binding(binding, statement.span, outputs);
                false
            }
            StatementKind::Secret(secret) => {
                let ty = self.expr(secret.value, None);
                let ty = self.something(secret.value, ty);
                if !(ty.is_string() || matches!(ty, Type::Secret | Type::Json | Type::Unknown)) {
                    let what = format!("a secret is a text, not {}", literal::a(&ty));
                    let span = self.span(secret.value);
                    self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
                }
                self.bind(&secret.name, Type::Secret, true);
                false
            }
            StatementKind::Expr(id) => {
                self.expression_statement(*id);
                false
            }
            StatementKind::Command(command) => {
                self.steps_here(statement.span, "a command");
                self.command(command);
                false
            }
            StatementKind::Step { title, body } => {
                self.steps_here(statement.span, "a step");
                self.expect(*title, &Type::String, "a title");
                self.block(body)
            }
            StatementKind::If { branches, otherwise } => {
                self.conditional(branches, otherwise.as_ref())
            }
            StatementKind::For { name, list, body, .. } => {
                let ty = self.expr(*list, None);
                let item = self.items_of(*list, &ty);
                self.scoped(|this| {
                    this.bind(name, item, false);
                    this.block(body);
                });
                false
            }
            StatementKind::Parallel(block) => {
                self.branches(block);
                false
            }
            StatementKind::Return(value) => {
                self.returned(statement.span, *value);
                true
            }
            StatementKind::Fail(text) => {
                self.expect(*text, &Type::String, "`fail`");
                true
            }
            StatementKind::Skip(text) => {
                if self.place.function || self.place.stage.is_none() {
                    let what = "`skip` ends a stage, and this is none";
                    self.report(Diagnostic::error(Code::MISPLACED, statement.span, what));
                }
                self.expect(*text, &Type::String, "`skip`");
                true
            }
            StatementKind::Env(record) => {
                self.environment(*record);
                false
            }
            StatementKind::Modified { modifiers, body } => self.modified(modifiers, body),
            StatementKind::Block(block) => self.block(block),
            StatementKind::Handler(handler) => {
                self.block_handler(handler);
                false
            }
            StatementKind::Broken => false,
        };
        self.place.outputs = outputs;
        leaves
    }

    pub(super) fn binding(&mut self, binding: &Let) -> Type {
        let what = format!("`{}`", binding.name.text);
        match &binding.ty {
            Some(written) => {
                let wanted = self.written(written);
                self.expect(binding.value, &wanted, &what)
            }
            None => {
                let ty = self.expr(binding.value, None);
                self.plain_secret(binding);
                self.something(binding.value, ty)
            }
        }
    }

    fn output_binding(&mut self, binding: &Let, span: Span, allowed: bool) {
        let ty = self.binding(binding);
        if !allowed {
            self.report(
                Diagnostic::error(
                    Code::MISPLACED,
                    word(span, "output"),
                    "an output is bound directly in a stage",
                )
                .label("not in here")
                .help("bind a `let` here and the output below, or move it out"),
            );
        }
        self.stays(binding.value, &ty, "an output");
        if ty.holds_secret() {
            let problem = self.leaked(binding.value, &Type::String, "an output");
            self.report(problem);
        }
        if let Some(facts) = self.facts()
            && allowed
        {
            facts.outputs.insert(binding.name.text.clone(), ty.clone());
        }
        self.bind(&binding.name, ty, false);
    }

    /// Each statement of a `parallel` is a branch of its own: no name goes from one to another.
    fn branches(&mut self, block: &Block) {
        self.scoped(|this| {
            for statement in &block.statements {
                if let StatementKind::Env(_) = &statement.kind {
                    let what = "`env` alone holds for its own branch, where nothing comes after it";
                    this.report(
                        Diagnostic::error(Code::MISPLACED, word(statement.span, "env"), what)
                            .label("each statement of `parallel` is a branch")
                            .help(
                                "write it before a command (`env { … } $ …`), or above `parallel`",
                            ),
                    );
                }
                let StatementKind::Let(binding) = &statement.kind else {
                    this.scoped(|this| this.statement(statement, false));
                    continue;
                };
                this.binding(binding);
                let what = "nobody sees this name: each statement of `parallel` is a branch";
                this.report(
                    Diagnostic::error(Code::MISPLACED, binding.name.span, what)
                        .label("seen by no other branch")
                        .help("bind it above, or put the statements of a branch into a `step`"),
                );
                // Who reads it is not to blame.
                this.bind(&binding.name, Type::Unknown, false);
            }
        });
    }

    fn expression_statement(&mut self, id: ExprId) {
        let span = self.span(id);
        if let ExprKind::Unary { op: UnaryOp::Negate, operand } = self.file.expr(id).kind {
            let shown = self.slice(self.span(operand)).to_owned();
            self.report(
                Diagnostic::error(
                    Code::FOREIGN_SYNTAX,
                    span,
                    "this looks like an item of a YAML list",
                )
                .label("only a value, with its sign turned round")
                .help(format!("a command is written `$ {shown}`")),
            );
            return;
        }
        let told = self.checked.problems.len();
        let ty = self.expr(id, None);
        if self.checked.problems.len() > told && ty == Type::Unknown {
            return;
        }
        match &self.file.expr(id).kind {
            ExprKind::Call { .. } => match self.checked.targets.get(&id) {
                Some(Target::Builtin { builtin, .. })
                    if builtin.kind() == pipe_stdlib::core::Kind::Fact =>
                {
                    let name = builtin.full_name();
                    self.report(unused_value(span, &format!("`{name}` only gives a value")));
                }
                Some(Target::Method(method)) => {
                    let what = format!("`{}` only gives a value", method.name);
                    self.report(unused_value(span, &what));
                }
                Some(Target::Function(name)) => {
                    let name = name.clone();
                    let steps = self.function_signature(&name).is_none_or(|(_, steps)| steps);
                    if !steps && ty != Type::Nothing {
                        let what = format!("`{name}` only gives a value");
                        self.report(unused_value(span, &what));
                    }
                }
                _ => {}
            },
            ExprKind::Capture(_) => self.report(
                Diagnostic::warning(
                    Code::UNUSED_VALUE,
                    span,
                    "nobody takes the output of this command",
                )
                .help("run it with `$ …`, which shows its output"),
            ),
            ExprKind::Broken => {}
            _ => self.report(unused_value(span, "this is only a value")),
        }
    }

    fn conditional(
        &mut self,
        branches: &[pipe_grammar::tree::Branch],
        otherwise: Option<&Block>,
    ) -> bool {
        let before = self.narrowed.len();
        let mut all_leave = true;
        let mut failed = Vec::new();
        for branch in branches {
            let known = self.condition(branch.condition);
            self.constant_condition(branch.condition, "this block");
            let leaves = self.knowing(known.when_true, |this| this.block(&branch.body));
            all_leave &= leaves;
            // From here on the condition is known not to have held, in the branches below and,
            // where the branch leaves, behind the whole `if`.
            self.narrowed.extend(known.when_false.iter().cloned());
            failed.push((known.when_false, leaves));
        }
        let otherwise_leaves = otherwise.is_some_and(|block| self.block(block));
        self.narrowed.truncate(before);
        if failed.iter().all(|(_, leaves)| *leaves) {
            self.narrowed.extend(failed.into_iter().flat_map(|(facts, _)| facts));
        }
        all_leave && otherwise_leaves
    }

    fn modified(&mut self, modifiers: &[Modifier], body: &Statement) -> bool {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for modifier in modifiers {
            let keyword = modifier.kind.keyword();
            if let Some((_, first)) = seen.iter().find(|(word, _)| *word == keyword) {
                let problem = Diagnostic::error(
                    Code::DUPLICATE_CLAUSE,
                    modifier.span,
                    format!("`{keyword}` is written twice"),
                )
                .label("written again")
                .also(*first, "the first one");
                self.report(problem);
            }
            seen.push((keyword, modifier.span));
            self.modifier(modifier);
        }
        self.statement(body, false)
    }

    pub(super) fn modifier(&mut self, modifier: &Modifier) {
        match modifier.kind {
            ModifierKind::Retry(retry) => self.retry(retry),
            ModifierKind::Timeout(time) => {
                self.expect(time, &Type::Duration, "`timeout`");
            }
            ModifierKind::Env(record) => self.environment(record),
            ModifierKind::Cd(dir) => {
                self.expect(dir, &Type::Path, "`cd`");
                self.inside(dir);
            }
            ModifierKind::MayFail(condition) => {
                if let Some(condition) = condition {
                    self.condition(condition);
                    self.constant(condition, super::stage::MAY_FAIL);
                }
            }
            ModifierKind::Hold { during, every } => {
                self.expect(during, &Type::Duration, "`hold`");
                self.expect(every, &Type::Duration, "`every`");
            }
        }
    }

    fn returned(&mut self, span: Span, value: Option<ExprId>) {
        if !self.place.function {
            if value.is_some() {
                let what = "a stage returns no value";
                self.report(
                    Diagnostic::error(Code::MISPLACED, span, what)
                        .help("bind an output: `output name = …`; `return` alone ends the stage"),
                );
            }
            return;
        }
        let result = self.place.result.clone();
        match (value, result) {
            (Some(value), Some(Type::Nothing)) => {
                self.expr(value, None);
                let what = "this function returns no value";
                self.report(
                    Diagnostic::error(Code::WRONG_TYPE, span, what)
                        .help("say what it gives: `fn name(…) -> type`"),
                );
            }
            (Some(value), Some(wanted)) => {
                let ty = self.expect(value, &wanted, "`return`");
                self.stays(value, &ty, "returned");
            }
            (Some(value), None) => {
                let ty = self.expr(value, None);
                let ty = self.something(value, ty);
                self.stays(value, &ty, "returned");
                self.place.result = Some(ty);
            }
            (None, None | Some(Type::Nothing)) => {}
            (None, Some(wanted)) => {
                let what = format!("this function gives {}", literal::a(&wanted));
                self.report(
                    Diagnostic::error(Code::WRONG_TYPE, span, what).label("a value is missing"),
                );
            }
        }
    }

    fn block_handler(&mut self, handler: &Handler) {
        if self.place.function {
            let what = "a function has no handlers";
            self.report(
                Diagnostic::error(Code::MISPLACED, handler.head, what)
                    .help("put the call into a `step` with a handler"),
            );
        }
        self.handler(handler);
    }

    /// A handler sees the names of its block as `T?`: the block may have ended before them.
    pub(super) fn handler(&mut self, handler: &Handler) {
        let failure = handler.outcome == Outcome::Failure;
        let before = (self.place.failure, self.place.outputs);
        self.place.failure |= failure;
        self.place.outputs = false;
        let optional =
            self.scopes.last_mut().map(|scope| std::mem::replace(&mut scope.optional, true));
        self.scoped(|this| this.statement(&handler.body, false));
        if let (Some(scope), Some(optional)) = (self.scopes.last_mut(), optional) {
            scope.optional = optional;
        }
        (self.place.failure, self.place.outputs) = before;
    }

    /// Tells that a step stands where only facts may.
    pub(super) fn step_allowed(&mut self, id: ExprId, what: &str) {
        let span = self.span(id);
        self.steps_here(span, what);
    }

    fn steps_here(&mut self, span: Span, what: &str) {
        if let Some(steps) = self.place.found_steps.as_mut() {
            *steps = true;
            return;
        }
        if self.place.steps {
            return;
        }
        self.report(
            Diagnostic::error(
                Code::STEP_IN_FACT,
                span,
                format!("{what}, and here only facts may stand"),
            )
            .label("this is known before anything runs")
            .help("move it into a stage; what it gives goes on as `output name = …`"),
        );
    }
}

fn behind_handler(span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::MISPLACED, span, "handlers stand at the end of their block")
        .label("a statement behind a handler")
        .also(first, "the first handler")
        .help("move the handler down; it runs when the block has ended, wherever it stands")
}

fn word(span: Span, word: &str) -> Span {
    Span { end: (span.start + u32::try_from(word.len()).unwrap_or(0)).min(span.end), ..span }
}

fn unused_value(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning(Code::UNUSED_VALUE, span, format!("{what}, and nobody takes it"))
        .label("does nothing")
        .help("give it a name with `let`, or remove it")
}
