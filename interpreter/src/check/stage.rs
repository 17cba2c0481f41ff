//! Stages: their order, what they need, their clauses.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::did_you_mean,
    tree::{After, Clause, ClauseKind, ItemKind, Name, Retry, Stage, Text},
};
use pipe_stdlib::core::{Builtin, Type};

use super::{Checker, Place};

/// What comes of a `may_fail if` that is always the same.
pub(super) const MAY_FAIL: [&str; 2] = ["this may always fail", "this may never fail"];

/// When a stage may start.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// After all stages above it.
    #[default]
    Below,
    /// After these, by number.
    After(Vec<usize>),
}

/// What is known about a stage.
#[derive(Clone, Debug)]
pub struct StageFacts {
    /// Its name.
    pub name: Text,
    /// Where the name stands.
    pub span: Span,
    /// The stages that must have succeeded, by number: written, or implied by an output that is
    /// read.
    pub needs: BTreeSet<usize>,
    /// The stages that must be over, because an output of theirs is read behind `??`.
    pub waits: BTreeSet<usize>,
    /// When it may start.
    pub order: Order,
    /// Its outputs and their types, of one instance.
    pub outputs: IndexMap<Text, Type>,
    /// Whether it has a `for`: then outputs are lists.
    pub instances: bool,
    /// A part of it could not be read.
    pub broken: bool,
    /// Its failure does not fail the run.
    pub may_fail: bool,
    /// It deploys.
    pub deploys: bool,
    /// It pushes.
    pub pushes: bool,
}

impl StageFacts {
    fn new(stage: &Stage) -> Self {
        let has = |test: fn(&ClauseKind) -> bool| stage.clauses.iter().any(|c| test(&c.kind));
        Self {
            name: stage.name.text.clone(),
            span: stage.name.span,
            needs: BTreeSet::new(),
            waits: BTreeSet::new(),
            order: Order::Below,
            outputs: IndexMap::new(),
            instances: has(|kind| matches!(kind, ClauseKind::For { .. })),
            broken: stage.broken,
            may_fail: has(|kind| matches!(kind, ClauseKind::MayFail(_))),
            deploys: false,
            pushes: false,
        }
    }

    /// Everything that must be over before it starts, by number.
    #[must_use]
    pub fn before(&self, number: usize) -> BTreeSet<usize> {
        let order: BTreeSet<usize> = match &self.order {
            Order::Below => (0..number).collect(),
            Order::After(stages) => stages.iter().copied().collect(),
        };
        order.union(&self.needs).chain(&self.waits).copied().collect()
    }
}

impl Checker<'_> {
    pub(super) fn stages(&mut self) {
        let file = self.file;
        let stages: Vec<&Stage> = file.stages().collect();
        // Names first: a stage may be named before it is checked, to be told that it is below.
        self.checked.stages = stages.iter().map(|stage| StageFacts::new(stage)).collect();
        let place = Place { user: Some("pipeline".into()), ..Place::default() };
        self.within(place, Self::pipeline_clauses);
        for (number, stage) in stages.iter().enumerate() {
            self.stage(number, stage);
        }
        for number in 0..stages.len() {
            self.passes_failure(number);
        }
    }

    fn pipeline_clauses(&mut self) {
        let file = self.file;
        for item in &file.items {
            let ItemKind::Pipeline(pipeline) = &item.kind else { continue };
            self.expect(pipeline.name, &Type::String, "the pipeline's name");
            for clause in &pipeline.clauses {
                if let ClauseKind::Using(runner) = clause.kind {
                    self.runner_of_all.get_or_insert(runner);
                }
                match clause.kind {
                    ClauseKind::Timeout(_)
                    | ClauseKind::Env(_)
                    | ClauseKind::Using(_)
                    | ClauseKind::Retry(_) => {
                        self.clause(clause);
                    }
                    _ => {
                        let word = clause.kind.keyword();
                        let what = format!("`{word}` is a clause of a stage, not of the pipeline");
                        self.report(
                            Diagnostic::error(Code::MISPLACED, clause.span, what)
                                .help("a pipeline takes `timeout`, `env`, `using` and `retry`"),
                        );
                    }
                }
            }
        }
    }

    fn stage(&mut self, number: usize, stage: &Stage) {
        let place = Place {
            user: Some(format!("stage {}", stage.name.text).into()),
            stage: Some(number),
            ..Place::default()
        };
        self.within(place, |this| {
            this.duplicate_clauses(&stage.clauses);
            this.scoped(|this| {
                // `for` comes first: what it binds is in scope in title, clauses and body. What is
                // decided before it may not name its variables.
                let early = |kind: &ClauseKind| {
                    matches!(
                        kind,
                        ClauseKind::When(_)
                            | ClauseKind::Needs(_)
                            | ClauseKind::After(_)
                            | ClauseKind::Approve { .. }
                    )
                };
                for clause in stage.clauses.iter().filter(|c| early(&c.kind)) {
                    this.clause(clause);
                }
                for clause in
                    stage.clauses.iter().filter(|c| matches!(c.kind, ClauseKind::For { .. }))
                {
                    this.clause(clause);
                }
                let facts = this.when_facts(stage);
                this.knowing(facts, |this| {
                    if let Some(title) = stage.title {
                        this.expect(title, &Type::String, "a title");
                    }
                    for clause in &stage.clauses {
                        if !early(&clause.kind) && !matches!(clause.kind, ClauseKind::For { .. }) {
                            this.clause(clause);
                        }
                    }
                    this.place.remote = this.remote_runner(stage);
                    this.place.steps = true;
                    this.place.outputs = true;
                    this.block(&stage.body);
                });
            });
        });
    }

    /// What `when` lets the rest of the stage know; its condition is checked already.
    fn when_facts(&mut self, stage: &Stage) -> Vec<(String, Type)> {
        let when = stage.clauses.iter().find_map(|clause| match clause.kind {
            ClauseKind::When(condition) => Some(condition),
            _ => None,
        });
        let Some(condition) = when else { return Vec::new() };
        let told = self.checked.problems.len();
        let known = self.condition(condition);
        self.checked.problems.truncate(told);
        known.when_true
    }

    fn duplicate_clauses(&mut self, clauses: &[Clause]) {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for clause in clauses {
            let word = clause.kind.keyword();
            match seen.iter().find(|(found, _)| *found == word) {
                Some((_, first)) => {
                    let problem = Diagnostic::error(
                        Code::DUPLICATE_CLAUSE,
                        clause.span,
                        format!("`{word}` is written twice"),
                    )
                    .label("written again")
                    .also(*first, "the first one")
                    .help("each clause stands once: join the two");
                    self.report(problem);
                }
                None => seen.push((word, clause.span)),
            }
        }
    }

    fn clause(&mut self, clause: &Clause) {
        match &clause.kind {
            ClauseKind::For { loops, condition } => {
                self.loops(loops);
                if let Some(condition) = condition {
                    self.condition(*condition);
                    self.constant(*condition, ["every instance runs", "no instance ever runs"]);
                }
            }
            ClauseKind::Needs(names) => {
                let stages = self.stage_names(names);
                if let Some(facts) = self.facts() {
                    facts.needs.extend(stages);
                }
            }
            ClauseKind::After(After::Nothing) => self.set_order(Vec::new()),
            ClauseKind::After(After::Stages(names)) => {
                let stages = self.stage_names(names);
                self.set_order(stages);
            }
            ClauseKind::When(condition) => {
                self.condition(*condition);
                self.constant_condition(*condition, "this stage");
            }
            ClauseKind::Using(runner) => {
                self.runner(*runner);
            }
            ClauseKind::Approve { question, condition, within } => {
                self.expect(*question, &Type::String, "the question");
                if let Some(condition) = condition {
                    self.condition(*condition);
                    self.constant(*condition, ["this is always asked", "this is never asked"]);
                }
                if let Some(within) = within {
                    self.expect(*within, &Type::Duration, "`within`");
                }
            }
            ClauseKind::Lock(name) => {
                self.expect(*name, &Type::String, "`lock`");
            }
            ClauseKind::Retry(retry) => self.retry(*retry),
            ClauseKind::Timeout(time) => {
                self.expect(*time, &Type::Duration, "`timeout`");
            }
            ClauseKind::MayFail(condition) => {
                if let Some(condition) = condition {
                    self.condition(*condition);
                    self.constant(*condition, MAY_FAIL);
                }
            }
            ClauseKind::AtOnce(count) => {
                self.expect(*count, &Type::Int, "`at_once`");
            }
            ClauseKind::KeepGoing => {}
            ClauseKind::Env(record) => self.environment(*record),
            ClauseKind::Cd(dir) => {
                self.expect(*dir, &Type::Path, "`cd`");
                self.inside(*dir);
            }
            ClauseKind::Workspace(_) => {}
        }
    }

    fn set_order(&mut self, stages: Vec<usize>) {
        if let Some(facts) = self.facts() {
            facts.order = Order::After(stages);
        }
    }

    pub(super) fn retry(&mut self, retry: Retry) {
        if let Some(count) = retry.count {
            self.expect(count, &Type::Int, "`retry`");
        }
        if let Some(within) = retry.within {
            self.expect(within, &Type::Duration, "`within`");
        }
        if let Some(every) = retry.every {
            self.expect(every, &Type::Duration, "`every`");
        }
    }

    /// The facts of the stage under way, if there is one.
    pub(super) fn facts(&mut self) -> Option<&mut StageFacts> {
        self.checked.stages.get_mut(self.place.stage?)
    }

    /// The numbers of the stages that a clause names; they must stand above.
    fn stage_names(&mut self, names: &[Name]) -> Vec<usize> {
        let current = self.place.stage.unwrap_or(0);
        let mut numbers = Vec::new();
        for name in names {
            let Some(number) = self.stage_number(&name.text) else {
                let above = self.checked.stages[..current].iter().map(|s| &*s.name);
                let help = did_you_mean(&name.text, above.clone());
                let all: Vec<&str> = above.collect();
                let mut problem = Diagnostic::error(
                    Code::UNKNOWN_STAGE,
                    name.span,
                    format!("no stage is called `{}`", name.text),
                )
                .label("unknown stage")
                .help_if(help);
                if !all.is_empty() && all.len() <= 8 {
                    problem = problem.help(format!("above stand: {}", all.join(", ")));
                }
                self.report(problem);
                continue;
            };
            self.use_global(&name.text);
            if number < current {
                numbers.push(number);
            } else {
                let problem = self.not_above(number, name.span);
                self.report(problem);
            }
        }
        numbers
    }

    fn not_above(&self, number: usize, span: Span) -> Diagnostic {
        let facts = &self.checked.stages[number];
        let name = &facts.name;
        if Some(number) == self.place.stage {
            return Diagnostic::error(
                Code::STAGE_ORDER,
                span,
                format!("the stage `{name}` names itself"),
            )
            .label("a stage can't wait for itself");
        }
        Diagnostic::error(
            Code::STAGE_ORDER,
            span,
            format!("the stage `{name}` stands below this one"),
        )
        .label("only stages above can be named")
        .also(facts.span, "it stands here")
        .help(format!("move `stage {name}` above: stages run from top to bottom"))
    }

    /// Whether an output of a stage may be read here; tells why not.
    pub(super) fn may_read_stage(&mut self, number: usize, span: Span) -> bool {
        if self.place.after_all {
            return true;
        }
        match self.place.stage {
            Some(current) if number < current => true,
            Some(_) => {
                let problem = self.not_above(number, span);
                self.report(problem);
                false
            }
            None => {
                let name = self.checked.stages[number].name.clone();
                let what = format!("outputs of `{name}` are not there yet");
                let (label, help) = if self.place.function {
                    ("a function reads no outputs", "hand it over as an argument")
                } else {
                    ("this is known before any stage runs", "read it in a stage below")
                };
                self.report(
                    Diagnostic::error(Code::STAGE_ORDER, span, what).label(label).help(help),
                );
                false
            }
        }
    }

    /// Notes that the stage under way reads an output of another, and gives its type there.
    pub(super) fn reads_stage(&mut self, number: usize, ty: Type) -> Type {
        if self.place.after_all {
            return ty.optional();
        }
        if self.place.soft {
            if let Some(facts) = self.facts() {
                facts.waits.insert(number);
            }
            return ty.optional();
        }
        if let Some(facts) = self.facts() {
            facts.needs.insert(number);
        }
        ty
    }

    /// Runs where reading an output waits for its stage and does not need it.
    pub(super) fn soft<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.place.soft, true);
        let result = run(self);
        self.place.soft = before;
        result
    }

    /// Notes what a step does, for the order of stages.
    pub(super) fn note_step(&mut self, builtin: &Builtin) {
        let Some(facts) = self.facts() else { return };
        facts.pushes |=
            builtin.module == "docker" && matches!(builtin.name, "push" | "build" | "copy");
        facts.deploys |= builtin.module == "marathon" && !matches!(builtin.name, "status" | "diff");
    }

    /// A stage that deploys, and by its `after` passes one above that may still fail.
    fn passes_failure(&mut self, number: usize) {
        let facts = self.checked.stages[number].clone();
        if !facts.deploys || facts.order == Order::Below {
            return;
        }
        let mut before = BTreeSet::new();
        let mut open: Vec<usize> = facts.before(number).into_iter().collect();
        while let Some(stage) = open.pop() {
            if before.insert(stage) {
                open.extend(self.checked.stages[stage].before(stage));
            }
        }
        let passed = (0..number).find(|above| {
            let stage = &self.checked.stages[*above];
            !before.contains(above) && !stage.may_fail && !stage.pushes && !stage.deploys
        });
        if let Some(above) = passed {
            let stage = &self.checked.stages[above];
            let what = format!("`{}` may deploy although `{}` fails", facts.name, stage.name);
            let problem = Diagnostic::warning(Code::PASSES_FAILURE, facts.span, what)
                .label("its `after` lets it start before")
                .also(stage.span, "this may still be running, and fail")
                .help(format!("add `{}` to its `after`, or remove the `after`", stage.name));
            self.report(problem);
        }
    }
}
