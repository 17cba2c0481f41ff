//! Stages, and which must be over before which begins.

use std::collections::BTreeSet;

use crate::{
    check::{Order, StageFacts},
    outline::Outline,
    program::Program,
};

/// The graph of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The pipeline's name.
    pub name: String,
    /// The stages, in order.
    pub nodes: Vec<Node>,
    /// What each waits for. What follows from other edges is left out.
    pub edges: Vec<Edge>,
}

/// A stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// When it runs, and for what: `when git.branch == "main"`.
    pub notes: Vec<String>,
    /// It may be skipped.
    pub conditional: bool,
    /// It runs more than once, side by side.
    pub many: bool,
    /// Its documentation.
    pub docs: String,
}

/// That one stage waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Which comes first, by number.
    pub from: usize,
    /// Which waits, by number.
    pub to: usize,
    /// The first must have succeeded; else it must only be over.
    pub needs: bool,
}

impl Graph {
    /// The graph of a file, in a folder called `folder`.
    #[must_use]
    pub fn of(program: &Program, folder: &str) -> Self {
        let outline = Outline::of(program, folder);
        let nodes = outline
            .stages
            .into_iter()
            .map(|stage| {
                let each = stage.each.as_ref().map(|each| format!("for {each}"));
                let when = stage.when.as_ref().map(|when| format!("when {when}"));
                Node {
                    name: stage.name,
                    title: stage.title,
                    notes: each.into_iter().chain(when).collect(),
                    conditional: stage.when.is_some(),
                    many: stage.each.is_some(),
                    docs: stage.docs,
                }
            })
            .collect();
        Self { name: outline.name, nodes, edges: edges(&program.checked.stages) }
    }
}

fn edges(stages: &[StageFacts]) -> Vec<Edge> {
    // By stage: what is drawn above it.
    let mut drawn: Vec<BTreeSet<usize>> = Vec::new();
    let mut needed: Vec<BTreeSet<usize>> = Vec::new();
    // The stages that none so far waits for.
    let mut last: BTreeSet<usize> = BTreeSet::new();
    for stage in stages {
        let mut before = match &stage.order {
            Order::Below => last.clone(),
            Order::After(stages) => stages.iter().copied().collect(),
        };
        if stage.order != Order::Below {
            before.extend(stage.needs.iter().chain(&stage.waits));
        }
        let before = without_implied(&drawn, &before);
        let needs = without_implied(&needed, &stage.needs);
        before.iter().chain(&needs).for_each(|number| {
            last.remove(number);
        });
        last.insert(drawn.len());
        drawn.push(before);
        needed.push(needs);
    }
    let mut edges: Vec<Edge> = Vec::new();
    for (to, (before, needs)) in drawn.iter().zip(&needed).enumerate() {
        let all = before.union(needs);
        edges.extend(all.map(|from| Edge { from: *from, to, needs: needs.contains(from) }));
    }
    edges
}

/// Those that no path leads to from another one.
fn without_implied(above: &[BTreeSet<usize>], found: &BTreeSet<usize>) -> BTreeSet<usize> {
    let Some(lowest) = found.first() else { return BTreeSet::new() };
    let mut reached = BTreeSet::new();
    let mut open: Vec<usize> = found.iter().copied().collect();
    while let Some(number) = open.pop() {
        for next in above.get(number).into_iter().flatten() {
            if next >= lowest && reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    found.difference(&reached).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, needs: &[usize], order: Order) -> StageFacts {
        StageFacts {
            name: name.into(),
            span: pipe_grammar::Span::default(),
            needs: needs.iter().copied().collect(),
            waits: BTreeSet::new(),
            order,
            outputs: indexmap::IndexMap::new(),
            instances: false,
            broken: false,
            may_fail: false,
            deploys: false,
            pushes: false,
        }
    }

    fn pairs(stages: &[StageFacts]) -> Vec<(usize, usize, bool)> {
        edges(stages).into_iter().map(|edge| (edge.from, edge.to, edge.needs)).collect()
    }

    #[test]
    fn stages_below_each_other_are_a_chain() {
        let stages = [
            stage("a", &[], Order::Below),
            stage("b", &[], Order::Below),
            stage("c", &[1], Order::Below),
        ];
        assert_eq!(pairs(&stages), [(0, 1, false), (1, 2, true)]);
    }

    #[test]
    fn what_follows_from_other_edges_is_left_out() {
        let stages = [
            stage("fetch", &[], Order::Below),
            stage("lint", &[], Order::After(Vec::new())),
            stage("build", &[0], Order::After(vec![0])),
            stage("deploy", &[0, 2], Order::Below),
        ];
        assert_eq!(pairs(&stages), [(0, 2, true), (1, 3, false), (2, 3, true)]);
    }

    #[test]
    fn a_need_far_above_is_kept() {
        let stages = [
            stage("build", &[], Order::Below),
            stage("test", &[], Order::Below),
            stage("push", &[0], Order::Below),
        ];
        assert_eq!(pairs(&stages), [(0, 1, false), (0, 2, true), (1, 2, false)]);
    }
}
