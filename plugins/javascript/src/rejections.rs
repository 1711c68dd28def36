//! Promises that were rejected and that nobody looks after: they end a script, as they end Node.js.

use std::cell::RefCell;

use boa_engine::builtins::promise::{OperationType, Promise, PromiseState};
use boa_engine::context::HostHooks;
use boa_engine::object::builtins::JsPromise;
use boa_engine::{Context, JsObject, JsValue};

/// The rejected promises without a handler, in the order of their rejection.
#[derive(Default)]
pub(crate) struct Rejections(RefCell<Vec<JsObject<Promise>>>);

impl Rejections {
    /// Why the first of them was rejected.
    pub(crate) fn first(&self) -> Option<JsValue> {
        let first = self.0.borrow().first()?.clone();
        match JsPromise::from(first).state() {
            PromiseState::Rejected(reason) => Some(reason),
            PromiseState::Fulfilled(_) | PromiseState::Pending => None,
        }
    }
}

impl HostHooks for Rejections {
    fn promise_rejection_tracker(
        &self,
        promise: &JsObject<Promise>,
        operation: OperationType,
        _: &mut Context,
    ) {
        let mut rejected = self.0.borrow_mut();
        match operation {
            OperationType::Reject => rejected.push(promise.clone()),
            OperationType::Handle => rejected.retain(|it| !JsObject::equals(it, promise)),
        }
    }
}
