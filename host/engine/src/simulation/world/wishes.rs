//! What somebody wants.

use baton_store::RunId;

use super::World;
use crate::simulation::client::{Order, Wish};
use crate::simulation::documents::{self, EVENTS, SCHEDULED, WORKFLOWS};
use crate::simulation::neighbour;

/// Workflows that end by themselves, whoever does or does not send events and decide.
const UNATTENDED: [&str; 10] = [
    "chain", "pure", "short", "branches", "loop", "retried", "waits", "undoes", "parent", "hasty",
];

impl World {
    /// Somebody wants something.
    pub(super) fn wish(&mut self) {
        if self.chance.one_in(self.mood.neighbours)
            && self.runs_of(&neighbour()).len() < self.mood.runs
        {
            let workflow = *self.chance.pick(&UNATTENDED).expect("some");
            let input = documents::input(&mut self.chance);
            return self.ask(Wish::Neighbour(Order { workflow, input }));
        }
        let runs = self.runs();
        let about = self.chance.pick(&runs).copied();
        let wish = match about.filter(|_| !self.chance.one_in(4)) {
            Some(run) => self.wish_about(run),
            None => self.wish_for_more(),
        };
        if let Some(wish) = wish {
            self.ask(wish);
        }
    }

    fn wish_about(&mut self, run: RunId) -> Option<Wish> {
        if self.chance.one_in(self.mood.ends) {
            return Some(match self.chance.below(6) {
                0 => Wish::Stop(run),
                1..=2 => Wish::Cancel(run),
                3 => Wish::Restart(run),
                _ => Wish::Retry(run),
            });
        }
        match self.chance.below(8) {
            0 => Some(Wish::Suspend(run)),
            1..=2 => Some(Wish::Resume(run)),
            3..=4 => Some(Wish::Show(run)),
            5 => Some(Wish::ReadHistory(run)),
            _ => {
                let asked = self.approvals();
                self.chance.pick(&asked).copied().map(Wish::Decide)
            }
        }
    }

    fn wish_for_more(&mut self) -> Option<Wish> {
        if self.chance.one_in(self.mood.schedules) {
            let workflow = self.chance.pick(&SCHEDULED)?;
            return Some(match self.chance.one_in(6) {
                true => Wish::Pause(workflow.name),
                false => Wish::Publish(workflow),
            });
        }
        if self.chance.one_in(8) {
            return Some(Wish::Sweep);
        }
        if self.chance.one_in(3) {
            let kind = *self.chance.pick(&EVENTS).expect("some");
            return Some(self.event(kind));
        }
        // Who has not heard asks again, under the same key.
        let orders = self.client.orders.iter();
        let again: Vec<_> = orders.map(|(key, (order, _))| (key, order)).collect();
        if again.len() >= self.mood.runs || (!again.is_empty() && self.chance.one_in(3)) {
            let (key, order) = *self.chance.pick(&again)?;
            return Some(Wish::Start {
                key: key.clone(),
                order: order.clone(),
            });
        }
        let order = Order {
            workflow: self.chance.pick(&WORKFLOWS).expect("some").name,
            input: documents::input(&mut self.chance),
        };
        let key = self.client.name("key");
        Some(Wish::Start { key, order })
    }

    pub(super) fn event(&mut self, kind: &'static str) -> Wish {
        let id = self.client.name("event");
        Wish::Send { kind, id }
    }
}
