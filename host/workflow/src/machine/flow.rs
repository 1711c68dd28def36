//! What is the same for all tasks: entering, completing, failing, ending. The data flow is that of
//! dsl.md, "Data Flow", in its order.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::close::Closing;
use super::command::{Command, Detail, Ending, NoteKind};
use super::evaluate::{Moment, Side, check};
use super::event::{TaskKey, TimerKey};
use super::lines::Lines;
use super::task::{Extending, Outcome, Place, Stage, Task, TaskId, Work};
use super::{Status, Step, Turn};
use crate::data::{Data, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::extent;
use crate::plan::{Edge, Kind, NodeId, Sequence, Transform};

/// What goes in and out of the tasks under way.
impl Turn<'_> {
    /// The run starts: the workflow's input is checked and transformed, and the first task entered.
    pub(super) fn started(&mut self, input: Data, events_from: u64) {
        if self.run.status != Status::Pending {
            return;
        }
        self.run.status = Status::Running;
        self.run.started_at = self.at;
        self.run.input = input.clone();
        self.run.events.begin(events_from);
        let context = self.run.contexts.add(Arc::new(Value::Object(Map::new())));
        self.run.context = context;
        let detail = Detail {
            input: Some(input.clone()),
            ..Detail::default()
        };
        self.note(NoteKind::WorkflowStarted, None, None, detail);
        self.set_off();
    }

    /// Prepares the workflow's input and goes to the first task.
    pub(super) fn set_off(&mut self) {
        let input = self.run.input.clone();
        let mut place = Place::outermost(self.run.context);
        let prepared = extent::check("the workflow's input", &input)
            .and_then(|()| self.transform_workflow(Side::Input, &input, &place))
            .and_then(|input| {
                self.workflow_limit(&input, &place)
                    .map(|limit| (input, limit))
            });
        match prepared {
            Ok((input, limit)) => {
                if let Some(limit) = limit {
                    let due = self.at.after(limit);
                    place.deadline = Some(due);
                    self.run.limit = Some(limit);
                    self.set_timer(TimerKey::RunTimeout, due);
                }
                let body = self.run.plan.body;
                self.go(body, input, place);
            }
            Err(error) => self.fault(error),
        }
    }

    /// Comes to a task: steps 3 and 4 of the data flow.
    pub(super) fn enter(&mut self, node: NodeId, raw_input: Data, place: Place) {
        let id = self.add_task(node, raw_input, place);
        self.enter_task(id);
    }

    pub(super) fn enter_task(&mut self, id: TaskId) {
        let plan = self.run.plan.clone();
        let task = &self.run.tasks[&id];
        let (node, raw_input) = (plan.node(task.node), task.raw_input.clone());
        match self.condition(id, node.condition.as_ref(), &raw_input) {
            Ok(true) => {}
            Ok(false) => return self.skip(id, node.next),
            Err(error) => return self.fail(id, error),
        }
        let task = &self.run.tasks[&id];
        let (key, attempt) = (task.key.clone(), task.attempt);
        let prepared = check(&node.input, "the task's input", &raw_input, &mut self.left)
            .and_then(|()| self.fill(id, node.input.template.as_ref(), &raw_input, Moment::Before));
        let input = match prepared {
            Ok(input) => input,
            Err(error) => {
                self.note(
                    NoteKind::TaskStarted,
                    Some(key),
                    Some(attempt),
                    Detail::default(),
                );
                return self.fail(id, error);
            }
        };
        self.task_mut(id).input = input.clone();
        let function = match &node.kind {
            Kind::Call(call) => Some(call.name()),
            Kind::Subscription(subscription) => Some(subscription.call.name()),
            Kind::Function(function) => Some(function.name.clone()),
            Kind::Approval(_) => Some("approval".to_owned()),
            Kind::Process(process) => Some(process.function()),
            _ => None,
        };
        let workflow = match &node.kind {
            Kind::Run(flow) => Some(flow.to_string()),
            _ => None,
        };
        let detail = Detail {
            input: Some(input),
            function,
            workflow,
            ..Detail::default()
        };
        self.note(
            NoteKind::TaskStarted,
            Some(key.clone()),
            Some(attempt),
            detail,
        );
        if let Some(timeout) = &node.timeout {
            match self.duration(id, timeout) {
                Ok(limit) => {
                    let due = self.at.after(limit);
                    let task = self.task_mut(id);
                    task.limit = Some(limit);
                    let place = &mut task.place;
                    place.deadline = Some(place.deadline.map_or(due, |outer| outer.min(due)));
                    self.set_timer(TimerKey::Timeout(key), due);
                }
                Err(error) => return self.fail(id, error),
            }
        }
        match node.extensions.is_empty() {
            true => self.begin(id, &node.kind),
            false => {
                self.task_mut(id).extending = Some(Box::new(Extending {
                    applied: Vec::with_capacity(node.extensions.len()),
                    stage: Stage::Before,
                }));
                self.begin_extended(id);
            }
        }
    }

    pub(super) fn begin(&mut self, id: TaskId, kind: &Kind) {
        match kind {
            Kind::Approval(approval) => self.begin_approval(id, approval),
            Kind::Call(call) => self.begin_call(id, call),
            Kind::Do(body) => self.begin_do(id, *body),
            Kind::Emit(emit) => self.begin_emit(id, emit),
            Kind::For(it) => self.begin_for(id, it),
            Kind::Fork(fork) => self.begin_fork(id, fork),
            Kind::Function(function) => self.begin_function(id, function),
            Kind::Listen(listen) => self.begin_listen(id, listen),
            Kind::Process(process) => self.begin_process(id, process),
            Kind::Raise(raise) => self.begin_raise(id, raise),
            Kind::Run(flow) => self.begin_run(id, flow),
            Kind::Set(template) => self.begin_set(id, template),
            Kind::Subscription(subscription) => self.begin_subscription(id, subscription),
            Kind::Switch(cases) => self.begin_switch(id, cases),
            Kind::Try(it) => self.begin_try(id, it),
            Kind::Wait(duration) => self.begin_wait(id, duration),
        }
    }

    /// A task has done its work: steps 5 to 9 of the data flow. `edge` is where it leads, where that is
    /// not its own `then`.
    pub(super) fn complete(&mut self, id: TaskId, raw_output: Data, edge: Option<Edge>) {
        let plan = self.run.plan.clone();
        let node = plan.node(self.run.tasks[&id].node);
        let output = self
            .fill(
                id,
                node.output.template.as_ref(),
                &raw_output,
                Moment::After(&raw_output),
            )
            .and_then(|output| {
                check(&node.output, "the task's output", &output, &mut self.left)?;
                self.export(id, &node.export, &raw_output, &output)
                    .map(|()| output)
            });
        match output {
            Ok(output) => {
                let outcome = Outcome {
                    raw_output,
                    output,
                    edge: edge.unwrap_or(node.then),
                };
                self.consume(id);
                match node.extensions.is_empty() || self.winding_up {
                    true => self.leave(id, outcome),
                    false => self.finish_extended(id, outcome),
                }
            }
            Err(error) => {
                self.task_mut(id).done = Some((raw_output, edge));
                self.fail(id, error);
            }
        }
    }

    /// A task is over.
    pub(super) fn leave(&mut self, id: TaskId, Outcome { output, edge, .. }: Outcome) {
        let task = self.remove_task(id);
        self.keep_undo(&task, &output);
        let (by, reason) = match task.decided {
            Some(verdict) => (Some(verdict.by), verdict.comment),
            None => (None, None),
        };
        let detail = Detail {
            output: Some(output.clone()),
            by,
            reason,
            ..Detail::default()
        };
        self.note(
            NoteKind::TaskCompleted,
            Some(task.key),
            Some(task.attempt),
            detail,
        );
        self.left(task.place, output, edge);
    }

    fn export(
        &mut self,
        id: TaskId,
        export: &Transform,
        raw: &Data,
        output: &Data,
    ) -> Result<(), Error> {
        let place = self.run.tasks[&id].place.context;
        let Some(template) = &export.template else {
            // Without `as`, the context stays as it is; whether it is right is looked at all the same.
            let context = self.run.contexts.get(place);
            return check(export, "the exported context", context, &mut self.left);
        };
        let context = self.fill(id, Some(template), output, Moment::Exporting(raw, output))?;
        check(export, "the exported context", &context, &mut self.left)?;
        self.run.contexts.set(place, context);
        Ok(())
    }

    fn skip(&mut self, id: TaskId, next: Edge) {
        let task = self.remove_task(id);
        self.note(
            NoteKind::TaskSkipped,
            Some(task.key),
            None,
            Detail::default(),
        );
        self.left(task.place, task.raw_input, next);
    }

    /// A task has been left along `edge`.
    fn left(&mut self, place: Place, output: Data, edge: Edge) {
        if self.winding_up {
            return;
        }
        match edge {
            Edge::To(node) => self.agenda.push_back(Step::Enter {
                node,
                input: output,
                place,
            }),
            Edge::Exit => self.scope_done(&place, output),
            Edge::Leave => self.leave_extended(&place, output),
            Edge::End => self.end_early(&place, output),
        }
    }

    /// Starts on a sequence within `place`.
    pub(super) fn go(&mut self, sequence: Sequence, input: Data, place: Place) {
        match sequence.first {
            Some(node) => self.agenda.push_back(Step::Enter { node, input, place }),
            None => self.agenda.push_back(Step::Left {
                place,
                output: input,
            }),
        }
    }

    /// A sequence, or a branch, has come to its end.
    pub(super) fn scope_done(&mut self, place: &Place, output: Data) {
        let Some(id) = place.parent else {
            return match self.run.closing {
                Some(_) => self.undone(None, Ok(())),
                None => self.finish(place, output),
            };
        };
        if self.is_extending(id) {
            return self.extension_done(id);
        }
        match &self.run.tasks[&id].work {
            Work::Do => self.complete(id, output, None),
            Work::For(_) => self.iterated(id, place.slot, output),
            Work::Fork(_) => self.branch_done(id, place.slot, output),
            Work::Listen(_) | Work::Subscription(_) => self.item_worked_on(id, output),
            Work::Try(_) => self.try_scope_done(id, output),
            Work::Approval(_) | Work::Beginning | Work::Call(_) | Work::Run(_) | Work::Wait => {
                unreachable!("such a task has nothing inside it")
            }
        }
    }

    /// A task has failed. What is inside it ends; the error goes to what is around it.
    pub(super) fn fail(&mut self, id: TaskId, error: Error) {
        self.cancel_inside(id);
        let (mut task, timers) = self.take_task(id);
        if let Work::Run(_) = task.work {
            // It has failed, or could not be started: a retry starts another one.
            task.work = Work::Beginning;
        }
        let error = error.at(&task.key.pointer).bounded();
        let (key, attempt, place) = (task.key.clone(), task.attempt, task.place.clone());
        self.bury(id, task, timers);
        let detail = Detail {
            error: Some(error.clone()),
            ..Detail::default()
        };
        self.note(NoteKind::TaskFaulted, Some(key), Some(attempt), detail);
        self.agenda.push_back(Step::Raised { place, error });
    }

    /// A task has taken longer than its `timeout` allows.
    pub(super) fn time_out(&mut self, id: TaskId) {
        let abandonment = self.run.tasks[&id].abandonment();
        self.commands.extend(abandonment);
        let error = Error::new(
            ErrorKind::Timeout,
            "The task took too long",
            "it was still under way when the time that its `timeout` allows was over",
        );
        self.fail(id, error);
    }

    /// An error has left a task for what is around it.
    pub(super) fn raised(&mut self, place: &Place, error: Error) {
        let Some(id) = place.parent else {
            return match self.run.closing {
                Some(_) => self.undone(None, Err(error)),
                None => self.fault(error),
            };
        };
        match &self.run.tasks[&id].work {
            Work::Try(_) => self.try_raised(id, error),
            Work::Fork(_) => self.branch_failed(id, place.slot, error),
            _ => self.fail(id, error),
        }
    }

    /// `then: end`: the tasks around the place have come to a good end, all others are cut short. Inside undo
    /// steps, which end nothing but themselves, the document does not say it; a function that they call may.
    fn end_early(&mut self, place: &Place, output: Data) {
        if let Some(outermost) = self.undo_step_around(place) {
            match outermost.parent {
                Some(holder) => self.cancel_inside(holder),
                None => self.cancel_all(),
            }
            return self.scope_done(&outermost, output);
        }
        let mut around = place.parent;
        while let Some(id) = around {
            let task = &self.run.tasks[&id];
            let (key, attempt) = (task.key.clone(), task.attempt);
            around = task.place.parent;
            self.run.keys.remove(&key);
            self.clear_timers(&key);
            let detail = Detail {
                output: Some(output.clone()),
                ..Detail::default()
            };
            self.note(NoteKind::TaskCompleted, Some(key), Some(attempt), detail);
        }
        let mut around = place.parent;
        while let Some(id) = around {
            let Some(task) = self.run.tasks.remove(&id) else {
                break;
            };
            around = task.place.parent;
            self.unsubscribe(&task.work);
            if let Work::Try(mut work) = task.work {
                self.run.ledger.append(&mut work.ledger);
            }
        }
        self.finish(place, output);
    }

    /// The last task is done: steps 10 and 11 of the data flow.
    pub(super) fn finish(&mut self, place: &Place, output: Data) {
        match self.transform_workflow(Side::Output, &output, place) {
            Ok(output) => {
                self.cancel_all();
                self.run.status = Status::Completed;
                let detail = Detail {
                    output: Some(output.clone()),
                    ..Detail::default()
                };
                self.note(NoteKind::WorkflowCompleted, None, None, detail);
                self.commands.push(Command::End(Ending::Completed(output)));
            }
            Err(error) => {
                self.run.grave.finish = Some((place.clone(), output));
                self.fault(error);
            }
        }
    }

    /// An error has left the workflow.
    pub(super) fn fault(&mut self, error: Error) {
        self.begin_close(Closing::Faulted(error));
    }
}

/// Tasks come and go.
impl Turn<'_> {
    fn add_task(&mut self, node_id: NodeId, raw_input: Data, place: Place) -> TaskId {
        let pointer = self.run.plan.node(node_id).pointer.clone();
        let (visit, attempt) = self.run.visits.visit(node_id, place.frame);
        let key = TaskKey { pointer, visit };
        self.add_task_as(node_id, (key, attempt), raw_input, place)
    }

    pub(super) fn add_task_as(
        &mut self,
        node_id: NodeId,
        (key, attempt): (TaskKey, u32),
        raw_input: Data,
        place: Place,
    ) -> TaskId {
        let id = TaskId(self.run.next_task);
        self.run.next_task += 1;
        let task = Task {
            node: node_id,
            key: key.clone(),
            attempt,
            place,
            input: raw_input.clone(),
            raw_input,
            started_at: self.at,
            limit: None,
            done: None,
            authorization: Data::default(),
            work: Work::Beginning,
            extending: None,
            decided: None,
        };
        self.run.keys.insert(key, id);
        self.run.tasks.insert(id, task);
        id
    }

    pub(super) fn task_mut(&mut self, id: TaskId) -> &mut Task {
        self.run
            .tasks
            .get_mut(&id)
            .expect("a task that is worked on is under way")
    }

    fn remove_task(&mut self, id: TaskId) -> Task {
        let (mut task, _) = self.take_task(id);
        self.forget_work(&mut task.work);
        task
    }

    /// Takes a task out of those that are under way, with the timers that it had. Its work keeps what it has.
    fn take_task(&mut self, id: TaskId) -> (Task, Vec<(TimerKey, Timestamp)>) {
        let mut task = self
            .run
            .tasks
            .remove(&id)
            .expect("a task that is worked on is under way");
        self.run.keys.remove(&task.key);
        let timers = self.clear_timers(&task.key);
        self.unlisten(&task.key, &task.work);
        self.unsubscribe(&task.work);
        self.take_ledger(&task.place, &mut task.work);
        (task, timers)
    }

    /// A task's own work is over; the task goes on, for the extensions around it.
    pub(super) fn end_work(&mut self, id: TaskId) {
        let task = self.task_mut(id);
        let mut work = std::mem::replace(&mut task.work, Work::Beginning);
        let place = task.place.clone();
        // Its `timeout` goes on: it bounds what comes after, too.
        let key = task.key.clone();
        self.clear_timer(TimerKey::Attempt(key.clone()));
        self.clear_timer(TimerKey::Consume(key.clone()));
        self.unlisten(&key, &work);
        self.unsubscribe(&work);
        self.take_ledger(&place, &mut work);
        self.forget_work(&mut work);
    }

    /// What the work of a task could undo goes to what is around it.
    fn take_ledger(&mut self, place: &Place, work: &mut Work) {
        if let Work::Try(work) = work {
            let ledger = std::mem::take(&mut work.ledger);
            self.hand_over(place, ledger);
        }
    }

    /// Lets go of what the work of a task has kept.
    pub(super) fn forget_work(&mut self, work: &mut Work) {
        for context in work.lines().into_iter().flat_map(Lines::contexts) {
            self.run.contexts.remove(context);
        }
        if let Work::Try(work) = work {
            self.run.visits.close(work.frame);
        }
    }

    /// Clears the timers of a task, and says when they would have come due.
    fn clear_timers(&mut self, key: &TaskKey) -> Vec<(TimerKey, Timestamp)> {
        let mut cleared = Vec::new();
        if self.run.timers.is_empty() {
            return cleared;
        }
        for timer in [
            TimerKey::Wait,
            TimerKey::Timeout,
            TimerKey::Retry,
            TimerKey::Attempt,
            TimerKey::Consume,
        ] {
            let timer = timer(key.clone());
            if let Some(&due) = self.run.timers.get(&timer) {
                cleared.push((timer.clone(), due));
                self.clear_timer(timer);
            }
        }
        cleared
    }

    /// Ends what is inside a task, innermost first.
    pub(super) fn cancel_inside(&mut self, id: TaskId) {
        self.cancel_where(id, |_| true);
    }

    /// Ends what is inside a task in the lines of work that `slot` accepts, innermost first.
    pub(super) fn cancel_where(&mut self, id: TaskId, slot: impl Fn(u32) -> bool) {
        let mut inside: Vec<TaskId> = Vec::new();
        for (&other, task) in self.run.tasks.range(TaskId(id.0 + 1)..) {
            let directly = task.place.parent == Some(id) && slot(task.place.slot);
            if directly
                || task
                    .place
                    .parent
                    .is_some_and(|parent| inside.binary_search(&parent).is_ok())
            {
                inside.push(other);
            }
        }
        for task in inside.into_iter().rev() {
            self.cancel(task);
        }
        // What was about to be entered inside it is not entered either.
        let tasks = &self.run.tasks;
        let stays = |step: &Step| match step.place().parent {
            None => true,
            Some(parent) if parent == id => !slot(step.place().slot),
            Some(parent) => tasks.contains_key(&parent),
        };
        let (stay, end): (VecDeque<Step>, Vec<Step>) = {
            let (mut stay, mut end) = (VecDeque::new(), Vec::new());
            for step in std::mem::take(&mut self.agenda) {
                match stays(&step) {
                    true => stay.push_back(step),
                    false => end.push(step),
                }
            }
            (stay, end)
        };
        self.agenda = stay;
        end.into_iter().for_each(|step| self.bury_step(step));
    }

    pub(super) fn cancel_all(&mut self) {
        for step in std::mem::take(&mut self.agenda) {
            self.bury_step(step);
        }
        while let Some((&id, _)) = self.run.tasks.last_key_value() {
            self.cancel(id);
        }
        for timer in std::mem::take(&mut self.run.timers).into_keys() {
            self.commands.push(Command::ClearTimer { timer });
        }
    }

    fn cancel(&mut self, id: TaskId) {
        let (task, timers) = self.take_task(id);
        self.commands.extend(task.abandonment());
        self.note(
            NoteKind::TaskCancelled,
            Some(task.key.clone()),
            Some(task.attempt),
            Detail::default(),
        );
        self.bury(id, task, timers);
    }
}
