//! `fork`: tasks at the same time (dsl-reference, "Fork").

use std::collections::{BTreeSet, HashMap};

use super::read::{Field, Object, Read, Reader, Scope, nearest};
use super::task::{kind_of, named_items};
use super::{Located, Task};
use crate::diagnostic::code;

/// A `fork` task.
#[derive(Debug, Clone)]
pub struct Fork {
    /// `fork.branches`: what happens at the same time.
    pub branches: Vec<Branch>,
    /// `fork.compete`: whether the first branch to complete ends the others and gives the output. Default: no.
    pub compete: bool,
}

/// A branch of a `fork`.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The task.
    pub task: Task,
    /// `needs`: the branches that must have completed before this one starts. That they are there, and that
    /// none waits for itself, has been checked. An addition of this host.
    pub needs: Vec<Located<String>>,
}

impl Fork {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("fork")?;
        let mut fork = object.reader().object(&field, "`fork`")?;
        let branches = fork.required::<Branches>("branches");
        let compete = fork.optional::<Located<bool>>("compete");
        fork.finish()?;
        let (branches, compete) = (branches?.0, compete?);
        check_race(&branches, compete.as_ref(), object.reader())?;
        Some(Self {
            branches,
            compete: compete.is_some_and(|compete| *compete),
        })
    }
}

struct Branches(Vec<Branch>);

impl Read for Branches {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let items = named_items(field, reader, "branch")?;
        let names: BTreeSet<String> = items.iter().map(|(name, _)| name.value.clone()).collect();
        let scope = Scope::Closed("the branches of a `fork` run at the same time");
        let branches: Vec<_> = reader.in_scope(scope, |reader| {
            items
                .into_iter()
                .map(|(name, field)| Branch::read(name, &field, &names, reader))
                .collect()
        });
        let branches = branches.into_iter().collect::<Option<Vec<_>>>()?;
        check_cycles(&branches, reader)?;
        Some(Self(branches))
    }
}

impl Branch {
    fn read(
        name: Located<String>,
        field: &Field<'_>,
        names: &BTreeSet<String>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut object = reader.object(field, "a task")?;
        let needs = object.optional::<Vec<Located<String>>>("needs");
        let kind = kind_of(&name, &mut object);
        let task = Task::read_as(name, object, kind);
        let needs = needs?.unwrap_or_default();
        let known = needs
            .iter()
            .filter(|need| known(need, names, reader))
            .count();
        (known == needs.len()).then_some(())?;
        Some(Self { task: task?, needs })
    }
}

/// A branch that waits for another can't win a race against it.
fn check_race(
    branches: &[Branch],
    compete: Option<&Located<bool>>,
    reader: &mut Reader<'_>,
) -> Option<()> {
    if !compete.is_some_and(|compete| **compete) {
        return Some(());
    }
    let Some(need) = branches.iter().find_map(|branch| branch.needs.first()) else {
        return Some(());
    };
    reader.error(
        code::CONFLICTING_KEYS,
        &need.location,
        "a branch of a race cannot wait for another: whoever completes first ends the others",
        "remove `needs`, or `compete`".to_owned(),
    );
    None
}

fn known(need: &Located<String>, names: &BTreeSet<String>, reader: &mut Reader<'_>) -> bool {
    if names.contains(&need.value) {
        return true;
    }
    // What is not listed any more need not be thought about.
    let help = (!reader.is_full())
        .then(|| nearest(need, names.iter().map(String::as_str)))
        .flatten()
        .map(|name| format!("did you mean `{name}`?"));
    reader.error(
        code::UNKNOWN_TASK,
        &need.location,
        format!("there is no branch `{}` in this `fork`", need.value),
        help,
    );
    false
}

/// Reports branches that wait for one another. Each round takes those away that need nobody who is left;
/// when there are none such, those who are left lead to a cycle.
fn check_cycles(branches: &[Branch], reader: &mut Reader<'_>) -> Option<()> {
    let index: HashMap<&str, usize> = branches
        .iter()
        .enumerate()
        .map(|(at, branch)| (branch.task.name.as_str(), at))
        .collect();
    let needs: Vec<Vec<usize>> = branches
        .iter()
        .map(|branch| {
            branch
                .needs
                .iter()
                .map(|need| index[need.as_str()])
                .collect()
        })
        .collect();
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by = vec![Vec::new(); branches.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            needed_by[*need].push(at);
        }
    }
    let mut ready: Vec<usize> = (0..branches.len()).filter(|at| missing[*at] == 0).collect();
    while let Some(done) = ready.pop() {
        for at in &needed_by[done] {
            missing[*at] -= 1;
            if missing[*at] == 0 {
                ready.push(*at);
            }
        }
    }
    let first = missing.iter().position(|count| *count > 0);
    let Some(mut at) = first else { return Some(()) };
    // Who is left needs somebody who is left, so that following needs comes round.
    let mut way: Vec<usize> = Vec::new();
    while !way.contains(&at) {
        way.push(at);
        at = *needs[at]
            .iter()
            .find(|need| missing[**need] > 0)
            .expect("somebody who is left needs somebody who is left");
    }
    let begin = way.iter().position(|one| *one == at).unwrap_or_default();
    let names: Vec<_> = way[begin..]
        .iter()
        .chain([&at])
        .map(|one| format!("`{}`", branches[*one].task.name.value))
        .collect();
    let location = &branches[at].needs[0].location;
    reader.error(
        code::CYCLE,
        location,
        format!(
            "these branches wait for one another: {}",
            names.join(" needs ")
        ),
        "remove one of the needs".to_owned(),
    );
    None
}
