//! `notify.…`: tells people.

use crate::core::module;

module! {
    "Tells people."
    notify: webhook
}
