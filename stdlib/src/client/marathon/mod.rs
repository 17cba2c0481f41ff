//! Marathon's REST API as a client meets it: 0.11 to 1.10, behind proxies, with leaders that come
//! and go.
//!
//! Answers are read tolerantly: what a deployment needs is picked out of the JSON, the rest is
//! passed through untouched. A typed model of the app definition would drop the fields that it
//! does not know.

mod app;
mod connect;
mod error;
mod event;
mod request;
mod sandbox;
mod sse;
mod stream;
mod version;

pub use app::{App, Check, Deployment, LastFailure, Queued, Task, at_least, same_version};
pub use connect::{Client, Pace};
pub use error::{Detail, Error, Kind, Refusal};
pub use event::{Event, key};
pub use request::Change;
pub use sse::{Decoder, Frame};
pub use stream::{Events, Signal};
pub use version::ServerVersion;
