//! Which tasks of a partition listen to which events of a tenant, so that an event finds them among many.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use baton_workflow::CloudEvent;
use baton_workflow::plan::{Mark, Topic, Topics};

use super::listeners::ListenerId;

/// Those that listen to a tenant's events, by what is of interest to them.
#[derive(Default)]
pub(super) struct ByTopic {
    any: BTreeSet<ListenerId>,
    kinds: HashMap<Arc<str>, OfKind>,
}

/// Those that listen to events of one type.
#[derive(Default)]
struct OfKind {
    all: BTreeSet<ListenerId>,
    /// Those that listen to events with a mark alone: by its place, and by what stands there.
    marked: HashMap<Arc<[String]>, HashMap<Arc<str>, Bearers>>,
}

/// Those that listen to events with one mark. There may be millions of marks, and mostly one for each.
enum Bearers {
    One(ListenerId),
    Some(BTreeSet<ListenerId>),
}

impl ByTopic {
    /// From now on that one listens to these. What many have in common is kept once.
    pub(super) fn add(&mut self, topics: &mut Topics, id: &ListenerId) {
        match topics {
            Topics::Any => drop(self.any.insert(id.clone())),
            Topics::Types(types) => {
                for topic in types {
                    if let Some((kind, _)) = self.kinds.get_key_value(&topic.kind) {
                        topic.kind = kind.clone();
                    }
                    let of_kind = self.kinds.entry(topic.kind.clone()).or_default();
                    of_kind.add(topic.mark.as_mut(), id);
                }
            }
        }
    }

    /// That one listens to these no longer.
    pub(super) fn remove(&mut self, topics: &Topics, id: &ListenerId) {
        match topics {
            Topics::Any => drop(self.any.remove(id)),
            Topics::Types(types) => {
                for Topic { kind, mark } in types {
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
            let bearers = Mark::read(path, event).and_then(|text| marks.get(&*text));
            match bearers {
                Some(Bearers::One(id)) => found.push(id.clone()),
                Some(Bearers::Some(ids)) => found.extend(ids.iter().cloned()),
                None => {}
            }
        }
        found
    }

    /// Whether nobody listens.
    pub(super) fn is_empty(&self) -> bool {
        self.any.is_empty() && self.kinds.is_empty()
    }
}

impl OfKind {
    fn add(&mut self, mark: Option<&mut Mark>, id: &ListenerId) {
        let Some(mark) = mark else {
            self.all.insert(id.clone());
            return;
        };
        if let Some((path, _)) = self.marked.get_key_value(&mark.path) {
            mark.path = path.clone();
        }
        let marks = self.marked.entry(mark.path.clone()).or_default();
        match marks.entry(mark.text.clone()) {
            Entry::Vacant(vacant) => drop(vacant.insert(Bearers::One(id.clone()))),
            Entry::Occupied(mut bearers) => bearers.get_mut().add(id),
        }
    }

    fn remove(&mut self, mark: Option<&Mark>, id: &ListenerId) {
        let Some(mark) = mark else {
            self.all.remove(id);
            return;
        };
        let Some(marks) = self.marked.get_mut(&mark.path) else {
            return;
        };
        if marks.get_mut(&mark.text).is_some_and(|it| it.remove(id)) {
            marks.remove(&mark.text);
        }
        if marks.is_empty() {
            self.marked.remove(&mark.path);
        }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.marked.is_empty()
    }
}

impl Bearers {
    fn add(&mut self, id: &ListenerId) {
        match self {
            Self::One(other) => {
                *self = Self::Some(BTreeSet::from([other.clone(), id.clone()]));
            }
            Self::Some(ids) => drop(ids.insert(id.clone())),
        }
    }

    /// Whether nobody is left.
    fn remove(&mut self, id: &ListenerId) -> bool {
        match self {
            Self::One(other) => other == id,
            Self::Some(ids) => {
                ids.remove(id);
                ids.is_empty()
            }
        }
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
                text: text.into(),
            });
            let kind = "paid".into();
            Topics::Types(vec![Topic { kind, mark }])
        };
        let marks = [None, Some("17"), Some("18"), Some("17")];
        let mut topics = vec![Topics::Any];
        topics.extend(marks.map(paid));
        let mut by_topic = ByTopic::default();
        for (number, topics) in (0..).zip(&mut topics) {
            by_topic.add(topics, &id(number));
        }
        let found = |by_topic: &ByTopic, kind, order| -> Vec<u8> {
            let found = by_topic.listening_to(&event(kind, order)).into_iter();
            found.map(|(run, _)| run.as_bytes()[0]).collect()
        };
        assert_eq!(found(&by_topic, "paid", 17), [0, 1, 2, 4]);
        assert_eq!(found(&by_topic, "paid", 19), [0, 1]);
        assert_eq!(found(&by_topic, "sent", 17), [0]);
        for (number, topics) in (0..).zip(&topics) {
            assert!(!by_topic.is_empty());
            by_topic.remove(topics, &id(number));
        }
        assert!(by_topic.is_empty());
    }
}
