//! Workflows: publish, validate, list, read.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_store::record::{DocumentRecord, Record, WorkflowRecord};
use baton_store::{Batch, Digest, Direction, ReadError, TenantId, key};
use baton_workflow::diagnostic::{self, Diagnostics, Source, Span, code};
use baton_workflow::document::Reading;
use baton_workflow::expression::Expression;
use baton_workflow::plan::SubflowReference;
use baton_workflow::{Diagnostic, Document, Plan, Resources, Timestamp, Wanted};
use semver::Version;
use serde_json::Value;

use super::Engine;
use crate::catalog::TenantConnectors;
use crate::error::{ListError, PublishError, Unavailable};
use crate::replay;
use crate::resources::{self, Fetching, Home};
use crate::shared::Shared;
use crate::view::{
    Page, Published, WorkflowFilter, WorkflowReference, WorkflowSummary, WorkflowView,
};

impl Engine {
    /// Publishes a document: checks it against the tenant's connectors and stores it. Publishing the same
    /// content again changes nothing.
    ///
    /// # Errors
    ///
    /// [`PublishError::Invalid`] with all that is wrong, [`PublishError::Conflict`] where the version exists
    /// with other content, [`PublishError::TooManySchedules`] where it has a schedule and there are too many.
    /// Nothing is stored then.
    pub async fn publish(&self, tenant: &TenantId, text: &str) -> Result<Published, PublishError> {
        self.publish_from(tenant, text, Home::default()).await
    }

    /// As [`Engine::publish`], of a document of whoever runs this process.
    ///
    /// What the document keeps elsewhere (schemas, functions, scripts) is fetched now and kept with the version.
    /// Publishing the same text again changes nothing, whatever there is elsewhere by then.
    ///
    /// # Errors
    ///
    /// As [`Engine::publish`].
    pub async fn publish_from(
        &self,
        tenant: &TenantId,
        text: &str,
        home: Home,
    ) -> Result<Published, PublishError> {
        let (tenant, text) = (tenant.clone(), text.to_owned());
        self.whole(async move |engine| engine.publish_whole(&tenant, &text, &home).await)
            .await
    }

    async fn publish_whole(
        &self,
        tenant: &TenantId,
        text: &str,
        home: &Home,
    ) -> Result<Published, PublishError> {
        self.check_open()?;
        let Checked {
            document,
            plan,
            diagnostics: warnings,
            resources,
            ..
        } = self.checked(tenant, text, home).await?;
        let Some(plan) = plan else {
            return Err(PublishError::Invalid(warnings));
        };
        let document = document.expect("a plan is made of a document");
        let header = &document.workflow().header;
        let reference = WorkflowReference {
            namespace: header.namespace.value.clone(),
            name: header.name.value.clone(),
            version: header.version.value.to_string(),
            digest: resources::digest_of(text, &resources),
        };
        // Before the lock that all share: nobody waits for who waits for a schedule of one workflow.
        let schedule = self
            .lock_schedule(tenant, &reference.namespace, &reference.name)
            .await;
        let _one_at_a_time = self.inner.writing.lock().await;
        let key = key::workflow(
            tenant,
            &reference.namespace,
            &reference.name,
            &reference.version,
        );
        if let Some(stored) = self.shared().store.get(&key).map_err(Unavailable::from)? {
            let before = Digest(decode(&stored)?.digest);
            // What is fetched may have changed meanwhile: the version does not. Who changes a file has changed the
            // document.
            let text_before =
                replay::document(self.shared(), tenant, &before).map_err(Unavailable::from)?;
            if before == reference.digest || (home.file.is_none() && text_before == text) {
                return Ok(Published {
                    reference: WorkflowReference {
                        digest: before,
                        ..reference
                    },
                    created: false,
                    warnings,
                });
            }
            let WorkflowReference {
                namespace,
                name,
                version,
                ..
            } = reference;
            return Err(PublishError::Conflict {
                namespace,
                name,
                version,
            });
        }
        let record = WorkflowRecord {
            namespace: reference.namespace.clone(),
            name: reference.name.clone(),
            version: reference.version.clone(),
            digest: reference.digest.0,
            title: header.title.as_ref().map(|it| it.value.clone()),
            summary: header.summary.as_ref().map(|it| it.value.clone()),
            connectors: plan.connectors().map(str::to_owned).collect(),
            published_at_ms: self.shared().clock.now().as_millis(),
        };
        let mut batch = Batch::new();
        batch.put(key, record.encode());
        if let Some(record) = resources::record(&resources) {
            batch.put(key::resources(tenant, &reference.digest), record.encode());
        }
        batch.put(
            key::document(tenant, &reference.digest),
            DocumentRecord(text.to_owned()).encode(),
        );
        let rescheduling = self.reschedule(schedule, &reference, &plan, &mut batch)?;
        let committed = self.shared().journal.commit(tenant, batch).await;
        self.shared().choices.changed(tenant);
        committed.map_err(Unavailable::from)?;
        self.rescheduled(rescheduling);
        Ok(Published {
            reference,
            created: true,
            warnings,
        })
    }

    /// All that is wrong with a document, as publishing would say it, warnings included. Stores nothing.
    pub async fn validate(
        &self,
        tenant: &TenantId,
        text: &str,
        home: &Home,
    ) -> Result<Vec<Diagnostic>, Unavailable> {
        self.check_open()?;
        let mut checked = self.checked(tenant, text, home).await?;
        let unfetched = checked.wanted.into_iter().map(|it| it.unfetched);
        checked.diagnostics.extend(unfetched);
        diagnostic::settle(&mut checked.diagnostics);
        Ok(checked.diagnostics)
    }

    /// Checks a document, and fetches what it keeps elsewhere; unless something is wrong with it already, or the same
    /// text has been published before.
    async fn checked(
        &self,
        tenant: &TenantId,
        text: &str,
        home: &Home,
    ) -> Result<Checked, Unavailable> {
        let posted = Arc::<str>::from(text);
        let (owner, published) = (tenant.clone(), posted.clone());
        let before = self
            .aside(tenant, move |shared| pinned(shared, &owner, &published))
            .await??;
        let mut resources = home.resources();
        // What was fetched stays; files are read again, as the document itself is.
        for (uri, text) in before.iter().flat_map(Resources::texts) {
            if !uri.starts_with("file:") {
                resources.insert(uri, Ok(text.to_owned()));
            }
        }
        let mut fetching = Fetching::new(self.shared(), tenant, home);
        // Each round fetches something more, and how much a document may keep elsewhere is bounded.
        loop {
            let (owner, text, name) = (tenant.clone(), posted.clone(), home.name.clone());
            let checked = self
                .aside(tenant, move |shared| {
                    check(shared, &owner, text, name.as_deref(), resources)
                })
                .await??;
            let is_wrong = checked.diagnostics.iter().any(Diagnostic::is_error);
            let wanted: Vec<&Wanted> = checked
                .wanted
                .iter()
                .filter(|it| fetching.may(it))
                .collect();
            if is_wrong || wanted.is_empty() {
                return Ok(checked);
            }
            let mut fetched = Vec::with_capacity(wanted.len());
            for wanted in wanted {
                fetched.push((wanted.uri.clone(), fetching.fetch(wanted).await?));
            }
            resources = checked.resources;
            for (uri, text) in fetched {
                resources.insert(&uri, text);
            }
        }
    }

    /// A tenant's workflows, every version, by namespace, name and version (semantic, ascending). At most
    /// `limit` and the bound of a page; `cursor` is [`Page::next`] of the page before.
    ///
    /// # Errors
    ///
    /// [`ListError::Cursor`] where `cursor` is none of this list.
    pub async fn workflows(
        &self,
        tenant: &TenantId,
        filter: &WorkflowFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<WorkflowSummary>, ListError> {
        let after = cursor
            .map(|cursor| place(cursor).ok_or(ListError::Cursor))
            .transpose()?;
        let limit = limit.clamp(1, self.shared().limits.page);
        let stored =
            self.shared()
                .store
                .scan(&key::workflows(tenant), Direction::Ascending, usize::MAX);
        let mut all = BTreeMap::new();
        for (_, value) in stored.map_err(Unavailable::from)? {
            let record = decode(&value)?;
            let wanted =
                |filter: &Option<String>, text: &str| filter.as_ref().is_none_or(|it| it == text);
            if !wanted(&filter.namespace, &record.namespace) || !wanted(&filter.name, &record.name)
            {
                continue;
            }
            let version = Version::parse(&record.version).unwrap_or(Version::new(0, 0, 0));
            all.insert(
                (record.namespace.clone(), record.name.clone(), version),
                summary(&record),
            );
        }
        let behind = |place: &Place| after.as_ref().is_none_or(|after| place > after);
        let mut items: Vec<_> = all
            .into_iter()
            .filter(|(place, _)| behind(place))
            .take(limit + 1)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|((namespace, name, version), _)| format!("{namespace}/{name}/{version}"));
        Ok(Page {
            items: items.into_iter().map(|(_, summary)| summary).collect(),
            next,
        })
    }

    /// A workflow's version; the highest one where `version` is none (as for [`crate::StartRun::version`]).
    pub async fn workflow(
        &self,
        tenant: &TenantId,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Option<WorkflowView>, Unavailable> {
        let Some(record) = find(self.shared(), tenant, namespace, name, version)? else {
            return Ok(None);
        };
        let owner = tenant.clone();
        let view = move |shared: &Arc<Shared>| {
            let digest = Digest(record.digest);
            let text = replay::document(shared, &owner, &digest)?;
            let resources = resources::stored(shared, &owner, &digest)?;
            let connectors = TenantConnectors::new(&shared.library, &owner)?;
            let plan = Document::parse(text.as_str(), None)
                .and_then(|document| Plan::with_resources(&document, &connectors, &resources));
            connectors.check()?;
            let graph = plan.map_or(Value::Null, |plan| plan.graph());
            Ok::<_, Unavailable>(WorkflowView {
                summary: summary(&record),
                text,
                schedule: None,
                graph,
            })
        };
        let view = self.aside(tenant, view).await??;
        let schedule = self.schedule(tenant, namespace, name).await?;
        Ok(Some(WorkflowView {
            schedule: schedule.filter(|it| it.version == view.summary.reference.version),
            ..view
        }))
    }
}

/// A published version; the highest where none is named, pre-releases only where there is nothing else.
pub(crate) fn find(
    shared: &Shared,
    tenant: &TenantId,
    namespace: &str,
    name: &str,
    version: Option<&str>,
) -> Result<Option<WorkflowRecord>, Unavailable> {
    let named = [namespace, name]
        .iter()
        .chain(version.iter())
        .all(|part| !part.as_bytes().contains(&0));
    if !named {
        return Ok(None);
    }
    if let Some(version) = version {
        let stored = shared
            .store
            .get(&key::workflow(tenant, namespace, name, version))?;
        return stored.as_deref().map(decode).transpose();
    }
    let stored = shared.store.scan(
        &key::workflow_versions(tenant, namespace, name),
        Direction::Ascending,
        usize::MAX,
    )?;
    let records = stored
        .iter()
        .map(|(_, value)| decode(value))
        .collect::<Result<Vec<_>, _>>()?;
    let rank = |record: &WorkflowRecord| Version::parse(&record.version).ok().map(|it| rank(&it));
    Ok(records.into_iter().max_by_key(rank))
}

/// The order of versions in which the last is the highest: any release is above all pre-releases.
pub(super) fn rank(version: &Version) -> (bool, Version) {
    (version.pre.is_empty(), version.clone())
}

/// The published versions of a workflow, in semantic order.
pub(crate) fn published_versions(
    shared: &Shared,
    tenant: &TenantId,
    namespace: &str,
    name: &str,
) -> Result<Vec<String>, Unavailable> {
    if namespace.as_bytes().contains(&0) || name.as_bytes().contains(&0) {
        return Ok(Vec::new());
    }
    let stored = shared.store.scan(
        &key::workflow_versions(tenant, namespace, name),
        Direction::Ascending,
        usize::MAX,
    )?;
    let mut versions = stored
        .iter()
        .map(|(_, value)| decode(value).map(|record| record.version))
        .collect::<Result<Vec<_>, _>>()?;
    versions.sort_by_cached_key(|version| Version::parse(version).ok());
    Ok(versions)
}

/// What checking a document came to: a plan where nothing is an error.
struct Checked {
    document: Option<Document>,
    plan: Option<Plan>,
    diagnostics: Vec<Diagnostic>,
    /// What the document keeps elsewhere, as far as it has been fetched, and what has not been.
    resources: Resources,
    wanted: Vec<Wanted>,
}

/// What is kept with the version that was published with this very text.
fn pinned(
    shared: &Shared,
    tenant: &TenantId,
    text: &str,
) -> Result<Option<Resources>, Unavailable> {
    let Ok(document) = Document::parse(text, None) else {
        return Ok(None);
    };
    let header = &document.workflow().header;
    let version = header.version.value.to_string();
    let key = key::workflow(tenant, &header.namespace, &header.name, &version);
    let Some(stored) = shared.store.get(&key)? else {
        return Ok(None);
    };
    let digest = Digest(decode(&stored)?.digest);
    match replay::document(shared, tenant, &digest)? == text {
        true => Ok(Some(resources::stored(shared, tenant, &digest)?)),
        false => Ok(None),
    }
}

fn check(
    shared: &Shared,
    tenant: &TenantId,
    text: Arc<str>,
    name: Option<&str>,
    resources: Resources,
) -> Result<Checked, Unavailable> {
    let Reading {
        document,
        mut diagnostics,
    } = Document::read(text, name);
    let (mut plan, mut wanted) = (None, Vec::new());
    let is_there = |flow: &SubflowReference<'_>| {
        find(shared, tenant, flow.namespace, flow.name, flow.version).map(|it| it.is_some())
    };
    // Whatever could be read is looked at: all that is wrong is said at once.
    if let Some(document) = &document {
        let connectors = TenantConnectors::new(&shared.library, tenant)?;
        let lowered = Plan::lower_with(document, &connectors, &resources);
        connectors.check()?;
        diagnostics.extend(lowered.diagnostics);
        diagnostics.extend(syntax_errors(shared, document, &lowered.expressions));
        plan = lowered.plan;
        wanted = lowered.wanted;
        for flow in plan.iter().flat_map(Plan::subflows) {
            if !is_there(&flow)? && !is_itself(document, &flow) {
                diagnostics.push(missing(document, &flow));
            }
        }
    }
    diagnostic::settle(&mut diagnostics);
    let plan = plan.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    Ok(Checked {
        document,
        plan,
        diagnostics,
        resources,
        wanted,
    })
}

/// Whether a workflow runs the version of itself that is being published.
fn is_itself(document: &Document, flow: &SubflowReference<'_>) -> bool {
    let header = &document.workflow().header;
    let version = header.version.value.to_string();
    flow.namespace == header.namespace.value
        && flow.name == header.name.value
        && flow.version.is_none_or(|it| it == version)
}

/// A warning, no error: the other workflow may be published later.
fn missing(document: &Document, flow: &SubflowReference<'_>) -> Diagnostic {
    let SubflowReference {
        namespace,
        name,
        version,
        pointer,
    } = flow;
    let version = version.map_or(String::new(), |it| format!(" {it}"));
    let message = format!("the workflow {namespace}/{name}{version} is not published yet");
    document
        .warning_at(pointer, code::UNKNOWN_WORKFLOW, message)
        .with_help("publish it before this one is run".to_owned())
}

/// What the expression language says against the expressions of a document.
fn syntax_errors(
    shared: &Shared,
    document: &Document,
    expressions: &[Arc<Expression>],
) -> Vec<Diagnostic> {
    let Some(first) = expressions.first() else {
        return Vec::new();
    };
    let mut evaluator = match shared.languages.evaluator(&shared.language) {
        Ok(evaluator) => evaluator,
        Err(message) => {
            let message = format!("the expression language can't be used: {message}");
            return vec![document.error_at(&first.pointer, code::BAD_EXPRESSION, message)];
        }
    };
    let mut wrong = Diagnostics::default();
    // What need not be an expression is none where it can't be one.
    for expression in expressions.iter().filter(|it| !it.is_loose) {
        if wrong.is_full() {
            break;
        }
        if let Err(error) = evaluator.compile(&expression.source, &expression.variables) {
            let message = match &expression.elsewhere {
                Some(uri) => format!("{uri}: `{}`: {}", expression.source, error.message),
                None => error.message,
            };
            let mut diagnostic =
                document.error_at(&expression.pointer, code::BAD_EXPRESSION, message);
            narrow(
                document.source(),
                &mut diagnostic,
                &expression.source,
                error.start,
                error.end,
            );
            wrong.report(diagnostic);
        }
    }
    wrong.finish()
}

/// Points a diagnostic at the part of an expression that is wrong, where the expression stands in the text
/// as it is: quoting and folding may have changed it.
fn narrow(
    source: &Source,
    diagnostic: &mut Diagnostic,
    expression: &str,
    start: usize,
    end: usize,
) {
    let Span {
        start: from,
        end: to,
    } = diagnostic.span;
    let Some(offset) = source
        .text()
        .get(from..to)
        .and_then(|text| text.find(expression))
    else {
        return;
    };
    let length = expression.len();
    let (start, end) = (start.min(length), end.min(length));
    diagnostic.span = Span::new(from + offset + start, from + offset + end);
    diagnostic.position = source.position(diagnostic.span.start);
}

type Place = (String, String, Version);

fn place(cursor: &str) -> Option<Place> {
    let mut parts = cursor.splitn(3, '/');
    let (namespace, name, version) = (parts.next()?, parts.next()?, parts.next()?);
    Some((
        namespace.to_owned(),
        name.to_owned(),
        Version::parse(version).ok()?,
    ))
}

fn decode(stored: &[u8]) -> Result<WorkflowRecord, Unavailable> {
    Ok(WorkflowRecord::decode(stored).map_err(ReadError::from)?)
}

fn summary(record: &WorkflowRecord) -> WorkflowSummary {
    WorkflowSummary {
        reference: WorkflowReference {
            namespace: record.namespace.clone(),
            name: record.name.clone(),
            version: record.version.clone(),
            digest: Digest(record.digest),
        },
        title: record.title.clone(),
        summary: record.summary.clone(),
        published_at: Timestamp::from_millis(record.published_at_ms),
    }
}
