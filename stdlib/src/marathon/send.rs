//! One change of an app, sent until it is known what became of it.

use serde_json::Value as Json;
use tokio::time::Instant;

use super::{definition::Definition, site::Site, trouble};
use crate::{
    client::marathon::{App, Change, Client, Error, Kind},
    core::Failure,
};

/// A change of an app.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    /// A definition, or a part of one.
    Put {
        /// What is sent.
        body: &'a Json,
        /// Whether fields that it lacks go back to their defaults.
        whole: bool,
        /// Whether other deployments of the app are cancelled.
        force: bool,
    },
    /// Every task is started anew.
    Restart,
    /// The app is removed.
    Delete,
}

/// What it led to.
pub(super) enum Sent {
    /// It was accepted.
    Accepted(Change),
    /// These deployments hold the app; when Marathon does not name them, none.
    Locked(Vec<String>),
}

impl Request<'_> {
    async fn once(self, client: &Client, id: &str) -> Result<Change, Error> {
        match self {
            Self::Put { body, whole, force } => client.put_app(id, body, whole, force).await,
            Self::Restart => client.restart_app(id, false).await,
            Self::Delete => client.delete_app(id, false).await,
        }
    }

    /// Sends it. When the answer is lost, it is looked whether the app is `made` what it should
    /// be before it is sent again. A cancellation waits for the answer: what was sent must be
    /// known.
    ///
    /// # Errors
    ///
    /// Marathon refuses it, `definition` being what it refuses, or does not answer.
    pub(super) async fn send(
        self,
        site: &Site<'_>,
        id: &str,
        definition: Option<&Definition>,
        made: impl Fn(Option<&App>) -> bool,
    ) -> Result<Sent, Failure> {
        if site.call.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let failure = |error: &Error| match definition {
            Some(definition) => trouble::definition_refused(definition, error),
            None => trouble::failure(error),
        };
        let mut tries = 0;
        loop {
            let sent = site.change(self.once(&site.client, id)).await;
            tries += 1;
            let error = match sent {
                Ok(change) => return Ok(Sent::Accepted(change)),
                Err(error) => error,
            };
            if let Error::Refused(refusal) = &error
                && refusal.kind == Kind::Locked
            {
                return Ok(Sent::Locked(refusal.deployments.clone()));
            }
            let unknown = matches!(error, Error::Lost(_))
                || matches!(error.kind(), Some(Kind::Gateway | Kind::Server));
            if !unknown {
                return Err(failure(&error));
            }
            site.say(format!("{}; looking whether the change was made", error.sentence()));
            if let Some(change) = look(site, id, &made).await {
                site.say("it was made");
                return Ok(Sent::Accepted(change));
            }
            if site.call.cancel.is_cancelled() {
                let message = format!("cancelled while `{id}` was changed; nothing came of it");
                return Err(Failure { message, ..Failure::cancelled() });
            }
            let again = matches!(error, Error::Lost(_)) || error.kind() == Some(Kind::Gateway);
            if !again || tries >= 2 {
                return Err(failure(&error));
            }
            site.say("it was not made; sending it again");
        }
    }
}

/// The change, if it was made although its answer was lost.
async fn look(site: &Site<'_>, id: &str, made: impl Fn(Option<&App>) -> bool) -> Option<Change> {
    let client = site.client();
    let until = Instant::now() + site.timing.look;
    loop {
        if let Ok(app) = client.app(id).await
            && made(app.as_ref())
        {
            let deployment = app.as_ref().and_then(|app| app.deployments.first().cloned());
            return Some(Change {
                deployment,
                version: app.map(|a| a.version).unwrap_or_default(),
            });
        }
        if Instant::now() >= until {
            return None;
        }
        tokio::time::sleep(site.timing.poll).await;
    }
}
