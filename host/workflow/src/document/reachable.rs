//! Tasks that no flow leads to.

use std::collections::HashMap;

use super::{Flow, Located, Switch, Task, TaskKind, TaskList, Try, Workflow};
use crate::diagnostic::{Diagnostic, Source, code};

/// Warns about each task that cannot be reached from the first of its list. Of several in a row only the
/// first is named.
pub(super) fn check(source: &Source, workflow: &Workflow) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut lists = vec![&workflow.tasks];
    let functions = workflow.reusable.functions.iter().map(|(_, task)| task);
    let mut tasks: Vec<&Task> = functions.collect();
    let extensions = workflow
        .reusable
        .extensions
        .iter()
        .flat_map(|extension| extension.before.iter().chain(&extension.after));
    lists.extend(extensions);
    loop {
        if let Some(task) = tasks.pop() {
            lists.extend(task.kind.lists());
            lists.extend(&task.compensate);
            if let TaskKind::Fork(fork) = &task.kind {
                tasks.extend(fork.branches.iter().map(|branch| &branch.task));
            }
        } else if let Some(list) = lists.pop() {
            check_list(source, list, &mut warnings);
            tasks.extend(&list.tasks);
        } else {
            return warnings;
        }
    }
}

fn check_list(source: &Source, list: &TaskList, warnings: &mut Vec<Diagnostic>) {
    let tasks = &list.tasks;
    let index: HashMap<&str, usize> = tasks
        .iter()
        .enumerate()
        .map(|(at, task)| (task.name.as_str(), at))
        .collect();
    let mut reached = vec![false; tasks.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let Some(task) = tasks
            .get(at)
            .filter(|_| !std::mem::replace(&mut reached[at], true))
        else {
            continue;
        };
        for flow in ways(task) {
            match flow {
                Flow::Continue if at + 1 < tasks.len() => open.push(at + 1),
                Flow::To(name) => open.extend(index.get(name.as_str())),
                Flow::Continue | Flow::Exit | Flow::End => {}
            }
        }
    }
    for (at, task) in tasks.iter().enumerate() {
        if reached[at] || (at > 0 && !reached[at - 1]) {
            continue;
        }
        let message = format!("no flow leads to the task `{}`", task.name.value);
        let help = "name it in a `then`, or remove it".to_owned();
        let warning = Diagnostic::warning(
            source,
            code::UNREACHABLE_TASK,
            task.name.location.span,
            message,
        );
        let before = &tasks[at.saturating_sub(1)].name;
        let label = format!("the flow does not go on after `{}`", before.value);
        let warning = warning.with_related(source, before.location.span, label);
        warnings.push(
            warning
                .pointing_to(task.location.pointer.to_string())
                .with_help(help),
        );
    }
}

/// Where the flow can go on after a task.
fn ways(task: &Task) -> Vec<&Flow> {
    let own = task
        .then
        .as_ref()
        .map_or(&Flow::Continue, |then| &then.value);
    let mut ways = Vec::new();
    match &task.kind {
        TaskKind::Switch(Switch { cases }) => {
            ways.extend(cases.iter().map(|case| &case.then.value));
            if cases.iter().all(|case| case.when.is_some()) {
                ways.push(own);
            }
        }
        TaskKind::Try(Try { catch, .. }) => {
            ways.push(own);
            ways.extend(catch.then.as_ref().map(|then: &Located<Flow>| &then.value));
        }
        TaskKind::Raise(_) => {}
        _ => ways.push(own),
    }
    // A task whose condition is not met is skipped; whether its `then` counts is not said.
    if task.condition.is_some() {
        ways.extend([own, &Flow::Continue]);
    }
    ways
}
