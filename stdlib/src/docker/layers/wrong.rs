//! A mistake at a place of the Dockerfile.

use std::ops::Range;

use pipe_grammar::Code;

use crate::{
    core::{Failure, Spot},
    docker::context::Context,
};

/// A mistake at a place of the Dockerfile, as the parser counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) place: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    pub(super) fn new(place: Range<usize>, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// As the failure of a build. `offset`: how many bytes of the text the parser passed over.
    pub(super) fn failure(self, context: &Context, offset: usize) -> Failure {
        let failure =
            Failure::new(Code::DOCKERFILE, self.message).at(spot(context, offset, self.place));
        self.help.into_iter().fold(failure, Failure::help)
    }
}

/// A place of the Dockerfile.
pub(super) fn spot(context: &Context, offset: usize, place: Range<usize>) -> Spot {
    let bytes = place.start + offset..place.end + offset;
    Spot::File { path: context.dockerfile.clone(), bytes }
}
