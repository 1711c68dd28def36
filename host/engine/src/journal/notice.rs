//! What partitions are told once something is durable.

use baton_store::{Partition, TenantId};
use tokio::sync::oneshot;

use super::Outcome;
use crate::mailbox::Mailbox;
use crate::partition::Message;
use crate::shared::Shared;

/// What a partition is told once something of a tenant's is durable.
pub(crate) struct Notice {
    pub(crate) tenant: TenantId,
    pub(crate) partition: Partition,
    message: Message,
    /// Who has asked for it. Whoever is answered finds the partition told.
    asker: Option<oneshot::Sender<Outcome>>,
}

impl Notice {
    pub(crate) fn new(tenant: TenantId, partition: Partition, message: Message) -> Self {
        Self {
            tenant,
            partition,
            message,
            asker: None,
        }
    }

    /// Has somebody answered once the partition has been told.
    pub(super) fn answering(self, asker: oneshot::Sender<Outcome>) -> Self {
        Self {
            asker: Some(asker),
            ..self
        }
    }

    /// Tells the partition, and wakes it if it sleeps.
    pub(crate) fn tell(self, shared: &Shared) {
        shared.tell(self.partition, &self.tenant, self.message);
        answer(self.asker);
    }

    /// Puts it where the partition finds it. For whom it is.
    pub(crate) fn put(self, mailbox: &Mailbox<Message>) -> TenantId {
        mailbox.put(self.message);
        answer(self.asker);
        self.tenant
    }
}

fn answer(asker: Option<oneshot::Sender<Outcome>>) {
    // Who has gone away meanwhile is not told.
    if let Some(asker) = asker {
        let _ = asker.send(Ok(Vec::new()));
    }
}
