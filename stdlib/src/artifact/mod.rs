//! `artifact.…`: files that are kept with the run, and go from stage to stage.

mod store;

use crate::core::module;

module! {
    "Files that are kept with the run, and go from stage to stage."
    artifact: save, load
}
