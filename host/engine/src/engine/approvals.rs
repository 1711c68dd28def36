//! What people are asked: list, read, decide.

use std::sync::Arc;

use baton_store::record::{ApprovalRecord, OutcomeRecord, Record};
use baton_store::{Direction, ReadError, TenantId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::Answer;

use super::Engine;
use crate::codec;
use crate::error::{ControlError, DecideError, ListError, Unavailable};
use crate::partition::{Decided, Message};
use crate::shared::Shared;
use crate::view::{
    ApprovalFilter, ApprovalId, ApprovalOutcome, ApprovalStatus, ApprovalView, Page,
};

/// How many records of approvals one page looks at.
const RECORDS_AT_A_TIME: usize = 10_000;

impl Engine {
    /// What a tenant's people are asked, or have been, the run that was started last first. At most `limit` and the
    /// bound of a page; `cursor` is [`Page::next`] of the page before. A page may have fewer items than `limit`, even
    /// none, and still have a next one.
    ///
    /// # Errors
    ///
    /// [`ListError::Cursor`] where `cursor` is none of this list.
    pub async fn approvals(
        &self,
        tenant: &TenantId,
        filter: &ApprovalFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<ApprovalView>, ListError> {
        let limit = limit.clamp(1, self.shared().limits.page);
        let cursor = cursor.map(|it| it.parse::<ApprovalId>().map_err(|_| ListError::Cursor));
        let cursor = cursor.transpose()?;
        let (owner, filter) = (tenant.clone(), filter.clone());
        let read = move |shared: &Arc<Shared>| list(shared, &owner, &filter, cursor, limit);
        Ok(self.aside(tenant, read).await??)
    }

    /// What a task asks a person, or has asked.
    pub async fn approval(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
    ) -> Result<Option<ApprovalView>, Unavailable> {
        let ApprovalId { run, task, visit } = id;
        let store = &self.shared().store;
        // Closed first: one that is closed meanwhile is found in the one place or in the other.
        for at in [
            key::closed_approval(tenant, run, *task, *visit),
            key::open_approval(tenant, run, *task, *visit),
            key::closed_approval(tenant, run, *task, *visit),
        ] {
            if let Some(stored) = store.get(&at)? {
                return Ok(Some(view(*id, &stored)?));
            }
        }
        Ok(None)
    }

    /// Says what a person has decided. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// Where they may not, where somebody has before, and where the data does not fit the form.
    pub async fn decide(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        answer: Answer,
    ) -> Result<ApprovalView, DecideError> {
        let asked = self.approval(tenant, id).await?;
        let asked = asked.ok_or(DecideError::NotFound(*id))?;
        if !asked.approval.may_be_decided_by(&answer.by) {
            return Err(DecideError::NotAssigned {
                by: answer.by,
                assignees: asked.approval.assignees,
            });
        }
        if asked.outcome.is_some() {
            return Err(settled(&asked));
        }
        let fits = baton_workflow::check_extent("the data", &answer.data)
            .and_then(|()| asked.approval.check(&answer.data));
        fits.map_err(|error| DecideError::Data(error.detail.unwrap_or_default()))?;
        let decided = Decided {
            task: asked.approval.task.clone(),
            attempt: asked.approval.attempt,
            answer,
        };
        let message = |reply| Message::Decided {
            tenant: tenant.clone(),
            run: id.run,
            decided: Box::new(decided),
            reply,
        };
        let answered = self.ask(tenant, &id.run, message).await;
        let now = self.approval(tenant, id).await?;
        let now = now.ok_or(DecideError::NotFound(*id))?;
        match answered {
            Ok(_) => Ok(now),
            Err(ControlError::Busy { retry_after }) => Err(DecideError::Busy { retry_after }),
            Err(ControlError::Unavailable(error)) => Err(error.into()),
            Err(_) => Err(settled(&now)),
        }
    }
}

/// Why an approval takes no decision any more.
fn settled(now: &ApprovalView) -> DecideError {
    match &now.outcome {
        Some(ApprovalOutcome::Decided { answer, .. }) => DecideError::Decided {
            by: answer.by.clone(),
            status: now.status(),
        },
        Some(ApprovalOutcome::Withdrawn { .. }) => DecideError::Withdrawn,
        None => DecideError::AskedAnew,
    }
}

fn list(
    shared: &Shared,
    tenant: &TenantId,
    filter: &ApprovalFilter,
    cursor: Option<ApprovalId>,
    limit: usize,
) -> Result<Page<ApprovalView>, Unavailable> {
    let is_open = matches!(filter.status, None | Some(ApprovalStatus::Open));
    let (mut range, key): (_, fn(&_, &_, _, _) -> Vec<u8>) = match is_open {
        true => (key::open_approvals(tenant), key::open_approval),
        false => (key::closed_approvals(tenant), key::closed_approval),
    };
    if let Some(run) = filter.run {
        range.start = range.start.max(key(tenant, &run, 0, 0));
        range = range.before(&key(tenant, &run, u64::MAX, u32::MAX));
    }
    if let Some(ApprovalId { run, task, visit }) = cursor {
        range = range.before(&key(tenant, &run, task, visit));
    }
    let read = shared
        .store
        .scan(&range, Direction::Descending, RECORDS_AT_A_TIME)?;
    let all = read.len() < RECORDS_AT_A_TIME;
    let mut items = Vec::new();
    let mut last = None;
    for (key, stored) in &read {
        if items.len() == limit {
            return Ok(page(items, last));
        }
        let Some((run, task, visit)) = key::parse_approval(key) else {
            continue;
        };
        let id = ApprovalId { run, task, visit };
        last = Some(id);
        let found = view(id, stored)?;
        let is_wanted = filter.status.is_none_or(|status| status == found.status())
            && filter
                .assignee
                .as_ref()
                .is_none_or(|name| found.approval.may_be_decided_by(name));
        if is_wanted {
            items.push(found);
        }
    }
    Ok(page(items, last.filter(|_| !all)))
}

fn page(items: Vec<ApprovalView>, last: Option<ApprovalId>) -> Page<ApprovalView> {
    Page {
        items,
        next: last.map(|last| last.to_string()),
    }
}

fn view(id: ApprovalId, stored: &[u8]) -> Result<ApprovalView, ReadError> {
    let mut record = ApprovalRecord::decode(stored)?;
    let outcome = match record.outcome.take() {
        None => None,
        Some(OutcomeRecord::Decided { at_ms, decision }) => Some(ApprovalOutcome::Decided {
            at: Timestamp::from_millis(at_ms),
            answer: codec::decision(decision)?,
        }),
        Some(OutcomeRecord::Withdrawn { at_ms }) => Some(ApprovalOutcome::Withdrawn {
            at: Timestamp::from_millis(at_ms),
        }),
    };
    Ok(ApprovalView {
        id,
        run: id.run,
        workflow: (record.namespace.clone(), record.workflow.clone()),
        approval: codec::approval(record)?,
        outcome,
    })
}
