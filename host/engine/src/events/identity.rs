//! What tells an event from all others (CloudEvents, "REQUIRED Attributes", `id`): its source and id; and where it is.

use baton_store::record::{EventIdRecord, Record};
use baton_store::{Digest, Direction, ReadError, Store, TenantId, key};

use crate::digest;

/// How many bytes of a digest tell an id, or a source.
const HALF: usize = 16;

/// What stands for an event's source and id. The id stands in front, so that the events of an id are found without their
/// sources.
pub(super) fn of(source: &str, id: &str) -> Digest {
    let mut identity = [0; 2 * HALF];
    identity[..HALF].copy_from_slice(&half(id));
    identity[HALF..].copy_from_slice(&half(source));
    Digest(identity)
}

/// What stood for them in the logs of earlier releases.
pub(super) fn earlier(source: &str, id: &str) -> Digest {
    // Neither can have a control character in it.
    digest::of(format!("{source}\0{id}").as_bytes())
}

/// The position of an event in a tenant's log; none where it is not there.
pub(super) fn place(
    store: &dyn Store,
    tenant: &TenantId,
    source: &str,
    id: &str,
) -> Result<Option<u64>, ReadError> {
    for identity in [of(source, id), earlier(source, id)] {
        if let Some(stored) = store.get(&key::event_id(tenant, &identity))? {
            return Ok(Some(EventIdRecord::decode(&stored)?.position));
        }
    }
    Ok(None)
}

/// The positions of the events of an id in a tenant's log, of whichever source, `limit` at most. Without those that an
/// earlier release has put there.
pub(super) fn places(
    store: &dyn Store,
    tenant: &TenantId,
    id: &str,
    limit: usize,
) -> Result<Vec<u64>, ReadError> {
    let stored = store.scan(
        &key::event_ids(tenant, &half(id)),
        Direction::Ascending,
        limit,
    )?;
    let place = |(_, value): (_, Vec<u8>)| Ok(EventIdRecord::decode(&value)?.position);
    stored.into_iter().map(place).collect()
}

fn half(text: &str) -> [u8; HALF] {
    let Digest(whole) = digest::of(text.as_bytes());
    whole[..HALF].try_into().expect("a digest is longer")
}

#[cfg(test)]
mod tests {
    use baton_store::{Batch, MemoryStore};

    use super::*;

    #[test]
    fn an_event_of_an_earlier_release_is_found() {
        let (store, tenant) = (MemoryStore::new(), TenantId::default());
        let mut batch = Batch::new();
        let position = EventIdRecord { position: 7 }.encode();
        batch.put(key::event_id(&tenant, &earlier("/a", "1")), position);
        store.commit(&batch).expect("stored");
        let place = |source, id| place(&store, &tenant, source, id).expect("read");
        assert_eq!((place("/a", "1"), place("/a", "2")), (Some(7), None));
        let of_any = places(&store, &tenant, "1", 9).expect("read");
        assert!(of_any.is_empty());
    }
}
