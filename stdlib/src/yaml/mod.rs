//! `yaml.…`: YAML texts and files.

use crate::core::module;

module! {
    "YAML texts and files."
    yaml: parse, read, format
}
