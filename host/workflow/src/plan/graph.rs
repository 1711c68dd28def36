//! The plan as a graph, for whoever wants to draw it.

use serde_json::{Value, json};

use super::{Edge, Fork, Kind, Node, NodeId, Plan, Sequence};

/// The identity of the workflow's end in the graph; no JSON pointer has this form.
const END: &str = "end";

/// The nodes and edges of a plan; the form is described at [`Plan::graph`].
pub(super) fn graph(plan: &Plan) -> Value {
    let mut edges = Vec::new();
    for node in &plan.nodes {
        match &node.kind {
            Kind::Switch(cases) => {
                for case in cases {
                    edge(plan, &mut edges, node, case.then, &case.name);
                }
                if cases.iter().all(|case| case.when.is_some()) {
                    edge(plan, &mut edges, node, node.then, "");
                }
            }
            Kind::Try(it) => {
                edge(plan, &mut edges, node, node.then, "");
                if let Some(then) = it.then {
                    edge(plan, &mut edges, node, then, "catch");
                }
            }
            Kind::Fork(fork) => {
                needs(plan, &mut edges, fork);
                edge(plan, &mut edges, node, node.then, "");
            }
            _ => edge(plan, &mut edges, node, node.then, ""),
        }
        if node.condition.is_some() && node.next != node.then {
            edge(plan, &mut edges, node, node.next, "skipped");
        }
    }
    let nodes: Vec<Value> = parents(plan)
        .into_iter()
        .zip(&plan.nodes)
        .map(|(parent, node)| describe(plan, parent, node))
        .collect();
    json!({ "start": first(plan, plan.body), "nodes": nodes, "edges": edges })
}

/// The task that each task is directly inside of. This takes a step for each task that each is inside of, and
/// how deeply they are within one another is bounded.
fn parents(plan: &Plan) -> Vec<Option<NodeId>> {
    let mut parents = vec![None; plan.nodes.len()];
    // Those further in come later, and stand in for those further out.
    for (id, node) in (0u32..).zip(&plan.nodes) {
        let inside = node.inside.start.0 as usize..node.inside.end.0 as usize;
        parents[inside].fill(Some(NodeId(id)));
    }
    parents
}

/// What leads from a branch to those that need it.
fn needs(plan: &Plan, edges: &mut Vec<Value>, fork: &Fork) {
    for branch in &fork.branches {
        for need in &branch.needs {
            let from = plan.node(fork.branches[*need].node);
            edge(plan, edges, from, Edge::To(branch.node), "needs");
        }
    }
}

fn edge(plan: &Plan, edges: &mut Vec<Value>, from: &Node, to: Edge, label: &str) {
    let to = match to {
        Edge::To(id) => &*plan.node(id).pointer,
        Edge::End => END,
        Edge::Exit | Edge::Leave => return,
    };
    let mut edge = json!({ "from": *from.pointer, "to": to });
    if !label.is_empty() {
        edge["label"] = Value::from(label);
    }
    edges.push(edge);
}

fn describe(plan: &Plan, parent: Option<NodeId>, node: &Node) -> Value {
    let mut description =
        json!({ "id": *node.pointer, "name": node.name, "kind": node.kind.name() });
    if let Some(parent) = parent {
        description["parent"] = Value::from(&*plan.node(parent).pointer);
    }
    if let Some(compensate) = node.compensate {
        description["compensate"] = first(plan, compensate);
    }
    match &node.kind {
        Kind::Call(call) => {
            description["function"] = Value::from(call.name());
        }
        Kind::Subscription(it) => {
            description["function"] = Value::from(it.call.name());
            if let Some(foreach) = &it.foreach {
                description["start"] = first(plan, foreach.body);
            }
        }
        Kind::Do(body) => description["start"] = first(plan, *body),
        Kind::For(it) => description["start"] = first(plan, it.body),
        Kind::Try(it) => {
            description["start"] = first(plan, it.body);
            if let Some(handler) = it.handler {
                description["catch"] = first(plan, handler);
            }
        }
        Kind::Fork(fork) => {
            description["branches"] = fork
                .branches
                .iter()
                .map(|it| Value::from(&*plan.node(it.node).pointer))
                .collect();
            description["compete"] = Value::from(fork.compete);
        }
        Kind::Function(function) => {
            description["function"] = Value::from(&*function.name);
            description["start"] = Value::from(&*plan.node(function.body).pointer);
        }
        Kind::Run(flow) => {
            let version = flow.version.as_deref().unwrap_or("latest");
            description["workflow"] =
                json!({ "namespace": flow.namespace, "name": flow.name, "version": version });
            description["await"] = Value::from(flow.awaited);
        }
        Kind::Listen(it) => {
            if let Some(foreach) = &it.foreach {
                description["start"] = first(plan, foreach.body);
            }
        }
        Kind::Approval(_) => description["function"] = Value::from("approval"),
        Kind::Process(process) => description["function"] = Value::from(process.function()),
        Kind::Emit(_) | Kind::Raise(_) | Kind::Set(_) | Kind::Switch(_) | Kind::Wait(_) => {}
    }
    if !node.extensions.is_empty() {
        let start = |list: Option<Sequence>| list.map_or(Value::Null, |list| first(plan, list));
        description["extensions"] = node
            .extensions
            .iter()
            .map(|it| json!({ "name": it.name, "before": start(it.before), "after": start(it.after) }))
            .collect();
    }
    description
}

fn first(plan: &Plan, sequence: Sequence) -> Value {
    sequence
        .first
        .map_or(Value::Null, |id| Value::from(&*plan.node(id).pointer))
}
