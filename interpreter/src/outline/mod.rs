//! What a file offers to whoever runs it: inputs, secrets, stages.

mod model;
mod text;

pub use model::{Outline, Output, Param, Secret, Stage};
pub use text::text;
