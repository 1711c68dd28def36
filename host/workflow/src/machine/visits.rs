//! Numbers for the run's visits to its tasks, and for the attempts of a visit.
//!
//! A visit that is made again (a `try` that tries again) keeps its number, and with it the idempotency key of
//! its call. A [`FrameId`] stands for something that can be made again as a whole: within it, the n-th coming
//! to a task has the same number each time, and what comes to a task for the first time has one that was
//! never given before. Several frames may be at the same task at the same time, as iterations side by side are.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::Timestamp;
use crate::pack::packed;
use crate::plan::NodeId;

/// Something that can be made again with the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FrameId(u32);

packed!(struct FrameId(number));

/// The numbers that a run has given.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// How often the run has come to each task.
    counts: BTreeMap<NodeId, u32>,
    /// How often it has begun each visit that may be made again.
    attempts: BTreeMap<(NodeId, u32), u32>,
    /// Of what the identities of the runs are made that nobody waits for, by the visit that starts them: the attempt that
    /// was the first to do so, and when it began.
    starts: BTreeMap<(NodeId, u32), (u32, Timestamp)>,
    frames: BTreeMap<FrameId, Frame>,
    next_frame: u32,
}

packed!(struct Visits { counts, attempts, starts, frames, next_frame });

#[derive(Debug)]
struct Frame {
    /// The frame that it is inside of: where its numbers come from.
    around: Option<FrameId>,
    given: BTreeMap<NodeId, Given>,
}

packed!(struct Frame { around, given });

/// The visits of one task within a frame.
#[derive(Debug, Default)]
struct Given {
    /// Their numbers, in the order in which they were made first.
    visits: Vec<u32>,
    /// How many of them have been made this time.
    made: usize,
}

packed!(struct Given { visits, made });

impl Given {
    fn take_out(&mut self, spent: &[u32]) {
        let spent = BTreeSet::from_iter(spent);
        let made = self.visits.iter().take(self.made);
        self.made = made.filter(|visit| !spent.contains(visit)).count();
        self.visits.retain(|visit| !spent.contains(visit));
    }
}

impl Visits {
    /// The number of the visit that is made now, and which attempt of it this is; both from 1.
    pub(super) fn visit(&mut self, node: NodeId, frame: Option<FrameId>) -> (u32, u32) {
        let visit = self.number(node, frame);
        let attempt = match frame {
            None => 1,
            Some(_) => {
                let attempts = self.attempts.entry((node, visit)).or_default();
                *attempts += 1;
                *attempts
            }
        };
        (visit, attempt)
    }

    /// Goes outwards to the first frame that has a number left, and hands it back inwards.
    fn number(&mut self, node: NodeId, frame: Option<FrameId>) -> u32 {
        let mut asked = Vec::new();
        let mut next = frame;
        let visit = loop {
            let Some(id) = next else {
                let count = self.counts.entry(node).or_default();
                *count += 1;
                break *count;
            };
            let frame = self.frame_mut(id);
            next = frame.around;
            let given = frame.given.entry(node).or_default();
            given.made += 1;
            if let Some(visit) = given.visits.get(given.made - 1) {
                break *visit;
            }
            asked.push(id);
        };
        for id in asked {
            let given = self.frame_mut(id).given.entry(node).or_default();
            given.visits.push(visit);
        }
        visit
    }

    /// A visit that was begun before begins once more, as that attempt.
    pub(super) fn begin_again(
        &mut self,
        visit: (NodeId, u32),
        attempt: u32,
        frame: Option<FrameId>,
    ) {
        if frame.is_some() {
            self.attempts.insert(visit, attempt);
        }
    }

    /// An attempt of a visit starts a run that nobody waits for: gives the attempt that was the first to do so, where the
    /// visit may be made again.
    pub(super) fn start(
        &mut self,
        visit: (NodeId, u32),
        this: (u32, Timestamp),
        frame: Option<FrameId>,
    ) -> (u32, Timestamp) {
        match frame {
            None => this,
            Some(_) => *self.starts.entry(visit).or_insert(this),
        }
    }

    /// The tasks that have been visited.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.counts.keys().copied()
    }

    /// Tasks have other numbers from now on.
    pub(super) fn renumber(&mut self, new: impl Fn(NodeId) -> NodeId) {
        let counts = std::mem::take(&mut self.counts).into_iter();
        self.counts = counts.map(|(node, count)| (new(node), count)).collect();
        let attempts = std::mem::take(&mut self.attempts).into_iter();
        self.attempts = attempts
            .map(|((node, visit), count)| ((new(node), visit), count))
            .collect();
        let starts = std::mem::take(&mut self.starts).into_iter();
        self.starts = starts
            .map(|((node, visit), first)| ((new(node), visit), first))
            .collect();
        for frame in self.frames.values_mut() {
            let given = std::mem::take(&mut frame.given).into_iter();
            frame.given = given.map(|(node, given)| (new(node), given)).collect();
        }
    }

    /// Opens a frame inside of another.
    pub(super) fn open(&mut self, around: Option<FrameId>) -> FrameId {
        let id = FrameId(self.next_frame);
        self.next_frame += 1;
        let given = BTreeMap::new();
        self.frames.insert(id, Frame { around, given });
        id
    }

    /// Makes what the frame stands for again.
    pub(super) fn again(&mut self, id: FrameId) {
        for given in self.frame_mut(id).given.values_mut() {
            given.made = 0;
        }
    }

    /// What the frame stands for is over. Its numbers are not given again, unless a frame around it is
    /// made again.
    pub(super) fn close(&mut self, id: FrameId) {
        let Some(Frame { around, given }) = self.frames.remove(&id) else {
            return;
        };
        if around.is_none() {
            for (node, given) in given {
                for visit in given.visits {
                    self.forget(node, visit);
                }
            }
        }
    }

    /// What the frame stands for was undone: also where something around it is made again, it is made under
    /// new numbers.
    pub(super) fn spend(&mut self, id: FrameId) {
        let frame = self.frame_mut(id);
        let spent = std::mem::take(&mut frame.given);
        let mut next = frame.around;
        while let Some(around) = next {
            let frame = self.frame_mut(around);
            for (node, spent) in &spent {
                if let Some(given) = frame.given.get_mut(node) {
                    given.take_out(&spent.visits);
                }
            }
            next = frame.around;
        }
        for (node, given) in spent {
            for visit in given.visits {
                self.forget(node, visit);
            }
        }
    }

    /// A visit is not made again.
    fn forget(&mut self, node: NodeId, visit: u32) {
        self.attempts.remove(&(node, visit));
        self.starts.remove(&(node, visit));
    }

    fn frame_mut(&mut self, id: FrameId) -> &mut Frame {
        self.frames
            .get_mut(&id)
            .expect("a frame is open as long as something is inside of it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(7);

    #[test]
    fn what_is_made_again_has_the_same_numbers() {
        let mut visits = Visits::default();
        assert_eq!(visits.visit(NODE, None), (1, 1));
        let outer = visits.open(None);
        let inner = visits.open(Some(outer));
        let mut make = |frame| visits.visit(NODE, Some(frame));
        assert_eq!([make(inner), make(inner)], [(2, 1), (3, 1)]);
        visits.again(inner);
        let mut make = |frame| visits.visit(NODE, Some(frame));
        assert_eq!(
            [make(inner), make(inner), make(inner)],
            [(2, 2), (3, 2), (4, 1)]
        );
        visits.close(inner);
        assert_eq!(visits.visit(NODE, Some(outer)), (5, 1));
        visits.again(outer);
        let inner = visits.open(Some(outer));
        assert_eq!(visits.visit(NODE, Some(inner)), (2, 3));
        visits.close(inner);
        visits.close(outer);
        assert_eq!(visits.visit(NODE, None), (6, 1));
        assert!(visits.attempts.is_empty() && visits.frames.is_empty());
    }

    #[test]
    fn what_is_started_again_is_the_first_start() {
        let at = Timestamp::from_millis;
        let mut visits = Visits::default();
        let frame = visits.open(None);
        for this in [(1, at(1)), (2, at(5))] {
            let made = visits.visit(NODE, Some(frame));
            assert_eq!(made, (1, this.0));
            assert_eq!(visits.start((NODE, 1), this, Some(frame)), (1, at(1)));
            visits.again(frame);
        }
        visits.close(frame);
        assert!(visits.starts.is_empty());
        for this in [(1, at(7)), (2, at(8))] {
            assert_eq!(visits.start((NODE, 2), this, None), this);
        }
        assert!(visits.starts.is_empty(), "what is made once is not kept");
    }

    #[test]
    fn what_was_undone_is_made_under_new_numbers() {
        let mut visits = Visits::default();
        let outer = visits.open(None);
        assert_eq!(visits.visit(NODE, Some(outer)), (1, 1));
        let inner = visits.open(Some(outer));
        assert_eq!(visits.visit(NODE, Some(inner)), (2, 1));
        visits.spend(inner);
        visits.close(inner);
        assert_eq!(visits.visit(NODE, Some(outer)), (3, 1));
        visits.again(outer);
        let inner = visits.open(Some(outer));
        assert_eq!(visits.visit(NODE, Some(inner)), (1, 2));
        assert_eq!(visits.visit(NODE, Some(inner)), (3, 2));
    }

    #[test]
    fn frames_side_by_side_share_no_number() {
        let mut visits = Visits::default();
        let [one, other] = [visits.open(None), visits.open(None)];
        assert_eq!(visits.visit(NODE, Some(one)), (1, 1));
        assert_eq!(visits.visit(NODE, Some(other)), (2, 1));
        visits.again(one);
        assert_eq!(visits.visit(NODE, Some(one)), (1, 2));
        assert_eq!(visits.visit(NODE, Some(one)), (3, 1));
        visits.close(one);
        visits.again(other);
        assert_eq!(visits.visit(NODE, Some(other)), (2, 2));
    }
}
