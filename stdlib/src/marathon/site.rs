//! The Marathon that a call goes to.

use pipe_grammar::Code;
use serde_json::Value as Json;

use super::{Timing, definition::wrong_id, normalise::absolute, trouble::failure};
use crate::{
    client::marathon::{App, Client, Error},
    core::{Arguments, Call, Failure, MarathonConnection},
};

/// A Marathon that has answered once.
pub(super) struct Site<'a> {
    pub(super) call: Call<'a>,
    pub(super) client: Client,
    /// The answer of `/v2/info`.
    pub(super) info: Json,
    pub(super) timing: Timing,
}

impl<'a> Site<'a> {
    /// Finds the connection of the call and asks who is there.
    pub(super) async fn connect(call: Call<'a>, timing: &Timing) -> Result<Self, Failure> {
        let connection = connection(&call)?;
        let mut client = Client::new(&connection, timing.pace)
            .await
            .map_err(|why| Failure::infrastructure(Code::UNREACHABLE_SERVER, why))?;
        let info = call.unless_cancelled(client.learn()).await?.map_err(|error| {
            let failure = failure(&error);
            if connection.local {
                failure.help("the local cluster does not answer; `pipe cluster status` says more")
            } else {
                failure
            }
        })?;
        Ok(Self { call, client, info, timing: *timing })
    }

    /// Says a line.
    pub(super) fn say(&self, text: impl AsRef<str>) {
        self.call.report.say(text.as_ref());
    }

    /// Asks, unless the call is cancelled.
    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        self.call.unless_cancelled(question).await?.map_err(|error| failure(&error))
    }

    /// The client, as patient as the call may be: after a cancellation it asks only once.
    pub(super) fn client(&self) -> Client {
        if self.call.cancel.is_cancelled() { self.client.impatient() } else { self.client.clone() }
    }

    /// Sends a change and waits for its answer, also when the call is cancelled meanwhile, because
    /// what was sent must be known; but then not for long.
    pub(super) async fn change<T>(
        &self,
        change: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::pin!(change);
        if !self.call.cancel.is_cancelled() {
            tokio::select! {
                biased;
                done = &mut change => return done,
                () = self.call.cancel.cancelled() => {}
            }
        }
        match tokio::time::timeout(self.timing.hurry / 4, change).await {
            Ok(done) => done,
            Err(_) => Err(Error::Lost("no answer came before the cancellation".to_owned())),
        }
    }

    /// The app that has to be there.
    pub(super) async fn existing(&self, id: &str) -> Result<App, Failure> {
        self.app(id).await?.ok_or_else(|| {
            Failure::new(Code::APP_LOST, format!("there is no app `{id}`"))
                .at_argument("app")
                .label(format!("`{}` has none with this id", self.client.url()))
        })
    }

    /// The app, if there is one.
    pub(super) async fn app(&self, id: &str) -> Result<Option<App>, Failure> {
        self.ask(self.client.app(id)).await
    }
}

/// The argument `app`, as an absolute id.
pub(super) fn app_id(arguments: &Arguments) -> Result<String, Failure> {
    let written: String = arguments.get("app")?;
    let id = absolute(&written, "/");
    match wrong_id(&id) {
        None => Ok(id),
        Some(why) => {
            Err(Failure::new(Code::INVALID_APP, format!("`{written}` is no id of an app: {why}"))
                .at_argument("app"))
        }
    }
}

/// With a local cluster every call goes there, whatever it says.
fn connection(call: &Call<'_>) -> Result<MarathonConnection, Failure> {
    if let Some(local) = &call.connections.local {
        return Ok(MarathonConnection {
            name: None,
            url: local.marathon.clone(),
            token: None,
            username: None,
            password: None,
            ca: None,
            local: true,
        });
    }
    call.connections.marathon(call.connection).cloned().ok_or_else(|| {
        Failure::new(Code::NO_CONNECTION, "nothing says which Marathon this goes to")
            .help("write `connect marathon(\"https://…\")` at the top of the file")
            .help("or set `MARATHON_URL`")
            .help("or try it on this machine: `pipe run --local`")
    })
}
