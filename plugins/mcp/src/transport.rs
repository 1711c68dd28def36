//! What carries the messages of a session.

use calls::Failure;
use protocols::json_rpc::RpcError;
use serde_json::Value;

/// How a server has answered a request.
pub type Outcome = Result<Value, RpcError>;

/// Carries the messages of one session.
pub trait Transport {
    /// Sends a request and waits for its answer. What the server asks for or tells meanwhile is dealt with by
    /// [`crate::session::receive`].
    ///
    /// # Errors
    ///
    /// Where no answer arrived.
    fn request(&mut self, message: &Value) -> Result<Outcome, Failure>;

    /// Sends what nobody answers.
    ///
    /// # Errors
    ///
    /// Where it could not be sent.
    fn send(&mut self, message: &Value) -> Result<(), Failure>;

    /// Both sides have agreed on this version of the protocol.
    fn agreed(&mut self, version: &str);

    /// Ends the session. That the server does not hear of it is no failure.
    fn close(&mut self);
}
