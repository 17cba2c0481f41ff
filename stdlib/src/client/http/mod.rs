//! Any server that speaks HTTP, as a built-in meets it.
//!
//! A request that fails for a reason that may pass is sent again, up to three times and within its
//! time: a connection that is refused or breaks off, and answers like 503. One that the server may
//! have acted on (POST, PATCH) only when it can't have. Proxies are those of the environment
//! (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, also in lower case), certificates those of
//! the machine, or of the file that `SSL_CERT_FILE` names.

mod answer;
mod connect;
mod request;
mod send;

pub(crate) use answer::{Answer, Broken, refused};
pub(crate) use connect::{Redirects, client};
pub(crate) use request::{Content, Request, credentials, headers, url};
pub(crate) use send::{Deadline, send};

pub(crate) use super::registry::why;
