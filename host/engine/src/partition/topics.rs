//! Which tasks of a partition listen to which events of a tenant, so that an event finds them among many.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use baton_workflow::CloudEvent;
use baton_workflow::plan::{Mark, Topics};

use super::listeners::ListenerId;

/// Those that listen to a tenant's events, by what is of interest to them.
#[derive(Default)]
pub(super) struct ByTopic {
    any: BTreeSet<ListenerId>,
    kinds: HashMap<String, OfKind>,
}

/// Those that listen to events of one type.
#[derive(Default)]
struct OfKind {
    all: BTreeSet<ListenerId>,
    /// Those that listen to events with a mark alone: by its place, and by what stands there.
    marked: HashMap<Arc<[String]>, HashMap<String, BTreeSet<ListenerId>>>,
}

impl ByTopic {
    /// From now on that one listens to these.
    pub(super) fn add(&mut self, topics: &Topics, id: &ListenerId) {
        match topics {
            Topics::Any => drop(self.any.insert(id.clone())),
            Topics::Types(types) => {
                for (kind, mark) in types {
                    let of_kind = self.kinds.entry(kind.clone()).or_default();
                    of_kind.add(mark.as_ref(), id);
                }
            }
        }
    }

    /// That one listens to these no longer.
    pub(super) fn remove(&mut self, topics: &Topics, id: &ListenerId) {
        match topics {
            Topics::Any => drop(self.any.remove(id)),
            Topics::Types(types) => {
                for (kind, mark) in types {
                    let Some(of_kind) = self.kinds.get_mut(kind) else {
                        continue;
                    };
                    of_kind.remove(mark.as_ref(), id);
                    if of_kind.is_empty() {
                        self.kinds.remove(kind);
                    }
                }
            }
        }
    }

    /// Those to whom an event may be of interest.
    pub(super) fn listening_to(&self, event: &CloudEvent) -> Vec<ListenerId> {
        let mut found: Vec<_> = self.any.iter().cloned().collect();
        let Some(of_kind) = self.kinds.get(event.kind()) else {
            return found;
        };
        found.extend(of_kind.all.iter().cloned());
        for (path, marks) in &of_kind.marked {
            let bearers = Mark::read(path, event).and_then(|text| marks.get(&text));
            found.extend(bearers.into_iter().flatten().cloned());
        }
        found
    }

    /// Whether nobody listens.
    pub(super) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.kinds.is_empty()
    }
}

impl OfKind {
    fn add(&mut self, mark: Option<&Mark>, id: &ListenerId) {
        let listeners = match mark {
            None => &mut self.all,
            Some(mark) => {
                let marks = self.marked.entry(mark.path.clone()).or_default();
                marks.entry(mark.text.clone()).or_default()
            }
        };
        listeners.insert(id.clone());
    }

    fn remove(&mut self, mark: Option<&Mark>, id: &ListenerId) {
        let Some(mark) = mark else {
            self.all.remove(id);
            return;
        };
        let Some(marks) = self.marked.get_mut(&mark.path) else {
            return;
        };
        if let Some(listeners) = marks.get_mut(&mark.text) {
            listeners.remove(id);
            if listeners.is_empty() {
                marks.remove(&mark.text);
            }
        }
        if marks.is_empty() {
            self.marked.remove(&mark.path);
        }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.marked.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use baton_store::RunId;
    use baton_workflow::machine::TaskKey;
    use serde_json::json;

    use super::*;

    fn id(number: u8) -> ListenerId {
        let task = TaskKey {
            pointer: "/do/0/wait".into(),
            visit: 1,
        };
        (RunId::from_bytes([number; 16]), task)
    }

    fn event(kind: &str, order: u32) -> CloudEvent {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/test", "type": kind, "data": { "order": order }
        });
        CloudEvent::new(event).expect("an event")
    }

    #[test]
    fn an_event_finds_those_whom_it_concerns() {
        let paid = |order: Option<&str>| {
            let mark = order.map(|text| Mark {
                path: ["data".to_owned(), "order".to_owned()].into(),
                text: text.to_owned(),
            });
            Topics::Types([("paid".to_owned(), mark)].into())
        };
        let topics = [Topics::Any, paid(None), paid(Some("17")), paid(Some("18"))];
        let mut by_topic = ByTopic::default();
        for (number, topics) in (0..).zip(&topics) {
            by_topic.add(topics, &id(number));
        }
        let found = |by_topic: &ByTopic, kind, order| -> Vec<u8> {
            let found = by_topic.listening_to(&event(kind, order)).into_iter();
            found.map(|(run, _)| run.as_bytes()[0]).collect()
        };
        assert_eq!(found(&by_topic, "paid", 17), [0, 1, 2]);
        assert_eq!(found(&by_topic, "paid", 19), [0, 1]);
        assert_eq!(found(&by_topic, "sent", 17), [0]);
        for (number, topics) in (0..).zip(&topics) {
            assert!(!by_topic.is_empty());
            by_topic.remove(topics, &id(number));
        }
        assert!(by_topic.is_empty());
    }
}
