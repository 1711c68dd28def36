//! Extensions: what is performed before and after tasks of a kind (dsl-reference, "Extension").
//!
//! An extension's tasks are put into each task that it extends, so that they have an identity, visits and
//! attempts of their own there. What that makes of a document is bounded as functions are.

use super::builder::Moment;
use super::lower::Lowering;
use super::site::Site;
use super::{Edge, Sequence, Template};
use crate::document::{self, ExtensionTarget, Pointer, Task, TaskKind, TaskList};

/// An extension as it is around one task.
#[derive(Debug)]
pub(crate) struct Extension {
    /// Its name.
    pub(crate) name: String,
    /// `when`: what must hold for it to apply.
    pub(crate) when: Option<Template>,
    pub(crate) before: Option<Sequence>,
    pub(crate) after: Option<Sequence>,
}

/// Lowers the extensions around a task that is performed at `place`, in the order of declaration. There are
/// none around a task that is itself an extension's.
pub(super) fn lower<'d>(
    lowering: &mut Lowering<'d>,
    task: &'d Task,
    place: &str,
) -> Vec<Extension> {
    if lowering.extends.is_none() {
        return Vec::new();
    }
    let extensions = &lowering.main.workflow().reusable.extensions;
    let mut around = Vec::new();
    for (index, extension) in extensions.iter().enumerate() {
        if !is_extended(extension.extend, task) {
            continue;
        }
        if let Err(refused) = room_for(lowering, index, extension) {
            lowering.refuse(refused, &task.name.location.pointer.to_string());
            break;
        }
        if let Some(extends) = &mut lowering.extends {
            extends.insert(index);
        }
        around.push(put_in(lowering, extension, place));
    }
    around
}

/// Lowers the extensions that extend no task: what is wrong with them is said all the same.
pub(super) fn check_unapplied(lowering: &mut Lowering<'_>) {
    let extensions = &lowering.main.workflow().reusable.extensions;
    for (index, extension) in extensions.iter().enumerate() {
        let is_applied = |extends: &std::collections::BTreeSet<usize>| extends.contains(&index);
        if !lowering.extends.as_ref().is_some_and(is_applied) {
            lowering.only_checking(|lowering| put_in(lowering, extension, ""));
        }
    }
}

fn put_in<'d>(
    lowering: &mut Lowering<'d>,
    extension: &'d document::Extension,
    place: &str,
) -> Extension {
    let site = Site::new(place.to_owned(), String::new());
    let extends = lowering.extends.take();
    // An extension of a function's task may call that function: its own tasks are not extended again.
    let around = lowering.expansion.hide_under_way();
    let lowered = lowering.in_main(site, |lowering| {
        let mut list = |list: &'d Option<TaskList>| {
            list.as_ref()
                .map(|list| lowering.list_left_by(list, Edge::Leave))
        };
        let (before, after) = (list(&extension.before), list(&extension.after));
        let when = extension.when.as_ref();
        Extension {
            name: extension.name.value.clone(),
            when: when.map(|it| lowering.builder.bare(it, Moment::During)),
            before,
            after,
        }
    });
    lowering.expansion.show_under_way(around);
    lowering.extends = extends;
    lowered
}

fn room_for(
    lowering: &mut Lowering<'_>,
    index: usize,
    extension: &document::Extension,
) -> Result<(), super::function::Refused> {
    let pointer = Pointer::root().key("use").key("extensions").index(index);
    let pointer = pointer.key(&extension.name.value).to_string();
    let value = lowering.main.value_at(&pointer);
    lowering.expansion.put_in(value)
}

fn is_extended(target: ExtensionTarget, task: &Task) -> bool {
    match target {
        ExtensionTarget::All => true,
        ExtensionTarget::Kind(kind) => task.kind.key() == kind,
        ExtensionTarget::Composite => match &task.kind {
            TaskKind::Do(_) | TaskKind::For(_) | TaskKind::Fork(_) | TaskKind::Try(_) => true,
            kind => kind.foreach().is_some(),
        },
    }
}
