//! The first Pipelinefile of a repository, and why it says what it says.

use super::{survey::Survey, writer::Writer};

/// A Pipelinefile, and what to tell about it.
#[derive(Debug, Default)]
pub struct Draft {
    /// The text of the file.
    pub text: String,
    /// What was found, and what it led to.
    pub found: Vec<(String, String)>,
    /// What was seen and not taken over.
    pub left: Vec<String>,
    /// What to do next.
    pub next: Vec<String>,
}

/// Writes a Pipelinefile for a repository.
#[must_use]
pub fn draft(survey: &Survey) -> Draft {
    let mut writer = Writer::new(survey);
    writer.work();
    match survey.images.as_slice() {
        [] => writer.apps(),
        [image] => writer.one_image(image),
        images => writer.images(images),
    }
    writer.finish()
}
