//! Responses part by part: what goes on for a while, or has something behind its body.

use crate::{Request, Response, SendError, header};

/// Something that sends requests, and gives the response as soon as its head is there.
pub trait Open {
    /// Sends `request` and waits for the head of the response.
    ///
    /// # Errors
    ///
    /// Where no response arrived. A response with a status of any kind is none.
    fn open(&self, request: &Request) -> Result<Answer, SendError>;
}

impl<F: Fn(&Request) -> Result<Answer, SendError>> Open for F {
    fn open(&self, request: &Request) -> Result<Answer, SendError> {
        self(request)
    }
}

/// A response whose body is yet to come.
pub struct Answer {
    /// The status, from 100 to 999.
    pub status: u16,
    /// Names, in lower case, and values in the order of arrival. A name may occur several times.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn Body>,
}

/// The body of a response. Dropping it ends the exchange.
pub trait Body {
    /// Waits for the next part, which is not empty. None at the end.
    ///
    /// # Errors
    ///
    /// Where the body broke off, or is longer than it may be.
    fn next(&mut self) -> Result<Option<Vec<u8>>, SendError>;

    /// What stands behind the body (RFC 9110, section 6.5), once: names in lower case, and values. What of the
    /// body has not been received is dropped.
    ///
    /// # Errors
    ///
    /// As for [`Body::next`].
    fn trailers(&mut self) -> Result<Vec<(String, String)>, SendError>;
}

impl Answer {
    /// The value of the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Receives the body to its end.
    ///
    /// # Errors
    ///
    /// As for [`Body::next`].
    pub fn whole(mut self) -> Result<Response, SendError> {
        let mut body = Vec::new();
        while let Some(bytes) = self.body.next()? {
            body.extend_from_slice(&bytes);
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
        })
    }
}

/// A body that is there already.
impl Body for std::vec::IntoIter<Vec<u8>> {
    fn next(&mut self) -> Result<Option<Vec<u8>>, SendError> {
        Ok(Iterator::find(self, |part| !part.is_empty()))
    }

    fn trailers(&mut self) -> Result<Vec<(String, String)>, SendError> {
        Ok(Vec::new())
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: Box::new(vec![response.body].into_iter()),
        }
    }
}
